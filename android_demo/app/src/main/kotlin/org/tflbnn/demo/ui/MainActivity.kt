package org.tflbnn.demo.ui

import android.app.Activity
import android.content.ActivityNotFoundException
import android.content.Intent
import android.os.Build
import android.os.Bundle
import android.util.TypedValue
import android.view.View
import android.view.ViewGroup
import android.view.WindowInsets
import android.widget.TextView
import android.widget.Toast
import org.tflbnn.demo.R

/** The tabs in the order that they stand in. */
enum class Tab(val button: Int) {
    CAMERA(R.id.tab_camera),
    PICTURE(R.id.tab_picture),
    BENCHMARK(R.id.tab_benchmark),
    MODELS(R.id.tab_models),
}

private const val TAB = "tab"
private const val LARGEST_LABEL_DP = 14f

/** Four screens with a bar of tabs below them, or beside them where the window is wide. */
class MainActivity : Activity() {
    private val screens = HashMap<Tab, Screen>()
    private var tab = Tab.CAMERA
    private var resumed = false

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        setContentView(R.layout.main)
        insetBars()
        screens[Tab.CAMERA] = CameraScreen(this)
        screens[Tab.PICTURE] = PictureScreen(this)
        screens[Tab.BENCHMARK] = BenchmarkScreen(this)
        screens[Tab.MODELS] = ModelsScreen(this)
        Tab.values().forEach { each -> find<TextView>(each.button).apply { setOnClickListener { open(each) } }.let(::limit) }
        state?.let { saved -> screens.values.forEach { it.restore(saved) } }
        val saved = state?.getString(TAB)?.let(Tab::valueOf)
        attach(saved ?: Tab.CAMERA)
        if (saved == null) receive(intent)
    }

    override fun onNewIntent(intent: Intent) {
        super.onNewIntent(intent)
        receive(intent)
    }

    override fun onResume() {
        super.onResume()
        resumed = true
        screen(tab).show()
    }

    override fun onPause() {
        resumed = false
        screen(tab).hide()
        super.onPause()
    }

    override fun onDestroy() {
        screens.values.forEach(Screen::destroy)
        super.onDestroy()
    }

    override fun onSaveInstanceState(state: Bundle) {
        super.onSaveInstanceState(state)
        state.putString(TAB, tab.name)
        screens.values.forEach { it.save(state) }
    }

    fun open(next: Tab) {
        if (next == tab) return
        if (resumed) screen(tab).hide()
        attach(next)
        if (resumed) screen(next).show()
    }

    /** Starts another app's activity for an answer; says so where there is none that could. */
    @Suppress("DEPRECATION") // its successor is part of AndroidX
    fun ask(tab: Tab, intent: Intent) = try {
        startActivityForResult(intent, tab.ordinal)
    } catch (error: ActivityNotFoundException) {
        Toast.makeText(this, R.string.no_app_for_files, Toast.LENGTH_LONG).show()
    }

    fun askPermission(tab: Tab, permission: String) = requestPermissions(arrayOf(permission), tab.ordinal)

    @Deprecated("Deprecated in Java")
    override fun onActivityResult(request: Int, result: Int, data: Intent?) {
        if (result == RESULT_OK && data != null) screen(Tab.values()[request]).answer(data)
    }

    override fun onRequestPermissionsResult(request: Int, permissions: Array<String>, results: IntArray) {
        if (results.isNotEmpty()) screen(Tab.values()[request]).permission()
    }

    private fun receive(intent: Intent) {
        if (intent.action != Intent.ACTION_SEND && intent.action != Intent.ACTION_SEND_MULTIPLE) return
        open(Tab.PICTURE)
        screen(Tab.PICTURE).answer(intent)
    }

    internal fun screen(tab: Tab) = screens.getValue(tab)

    private fun attach(next: Tab) {
        tab = next
        val content = find<ViewGroup>(R.id.content)
        content.removeAllViews()
        content.addView(screen(next).view)
        Tab.values().forEach { find<TextView>(it.button).isSelected = it == next }
    }

    /** Four labels have to fit beside each other, however large the letters are elsewhere. */
    private fun limit(label: TextView) {
        val most = label.pixels(TypedValue.COMPLEX_UNIT_DIP, LARGEST_LABEL_DP)
        if (label.textSize > most) label.setTextSize(TypedValue.COMPLEX_UNIT_PX, most)
    }

    /** From API 35 on windows reach below the system's bars, and what is to be seen must keep away from them. */
    @Suppress("DEPRECATION") // from API 35 on what it asks for is so anyway
    private fun insetBars() {
        val root = find<View>(R.id.root)
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.R) window.setDecorFitsSystemWindows(false)
        root.setOnApplyWindowInsetsListener { view, insets ->
            if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.R) {
                val bars = insets.getInsets(WindowInsets.Type.systemBars() or WindowInsets.Type.displayCutout())
                view.setPadding(bars.left, bars.top, bars.right, bars.bottom)
            }
            insets
        }
    }
}
