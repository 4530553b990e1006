package org.tflbnn.demo.ui

import android.Manifest
import android.content.Intent
import android.net.Uri
import android.view.View
import android.view.ViewGroup
import android.widget.LinearLayout
import java.util.Locale
import org.junit.After
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.tflbnn.demo.HostRunner
import org.tflbnn.demo.R
import org.tflbnn.demo.await
import org.tflbnn.demo.benchmark.Measurement
import org.tflbnn.demo.benchmark.Setup
import org.tflbnn.demo.camera.SyntheticFrame
import org.tflbnn.demo.picture.Picture
import org.tflbnn.demo.picture.Turn
import org.tflbnn.demo.picture.loadPicture

/** Every screen as a picture, in build/screenshots; what is drawn must fit and differ from an empty screen. */
@RunWith(HostRunner::class)
class ScreenshotsTest {
    private val locale = Locale.getDefault()

    @After fun restoreLocale() = Locale.setDefault(locale)

    private fun look(name: String, qualifiers: String, fontScale: Float = 1f) {
        RuntimeEnvironment.setQualifiers(qualifiers)
        Locale.setDefault(Locale(qualifiers.substringBefore('-'))) // as Android does, which numbers are written by
        RuntimeEnvironment.setFontScale(fontScale)
        addCamera()
        shadowOf(application).grantPermissions(Manifest.permission.CAMERA)
        val activity = start(share("digits-0.png", "digits-3.png", "digits-6.png")).get()
        pictures(activity, name)
        camera(activity, name)
        models(activity, name)
        benchmark(activity, name)
    }

    private fun share(vararg names: String) = Intent(Intent.ACTION_SEND_MULTIPLE).setType("image/*")
        .putParcelableArrayListExtra(Intent.EXTRA_STREAM, ArrayList<Uri>(names.map(::picture)))

    private fun pictures(activity: MainActivity, name: String) {
        val columns = activity.find<LinearLayout>(R.id.columns)
        await("bars") {
            (0 until columns.childCount).flatMap { column -> (columns.getChildAt(column) as ViewGroup).let { (0 until it.childCount).map(it::getChildAt) } }
                .let { cards -> cards.size == 3 && cards.all { it.find<BarsView>(R.id.bars).bars.isNotEmpty() } }
        }
        check(activity, "$name-pictures")
    }

    /** A page with a circle and a square, or a digit, as a frame of a camera. */
    private fun camera(activity: MainActivity, name: String) {
        application.models.currentId = "shapes"
        activity.tap(R.id.tab_camera)
        await("the model") { activity.getString(R.string.model_shapes) in activity.textOf(R.id.title) }
        val scene = loadPicture(application.contentResolver, picture("scene.png"))
        val frame = frameOf(scene)
        await("objects") {
            activity.cameraScreen.pipeline.offer(frame::copyTo)
            activity.find<BoxesView>(R.id.boxes).objects.isNotEmpty() && "–" !in activity.textOf(R.id.speed)
        }
        // A TextureView shows nothing without a GPU: in its place, what the camera sees.
        activity.find<View>(R.id.preview).visibility = View.INVISIBLE
        activity.find<View>(R.id.finder).background = SquareDrawable(scene)
        check(activity, "$name-camera")
    }

    private fun frameOf(scene: Picture) = SyntheticFrame.of(scene.width, scene.height, Turn.NONE, interleaved = true) { x, y ->
        val pixel = scene.pixels[y * scene.width + x]
        val (r, g, b) = listOf(16, 8, 0).map { (pixel shr it and 0xff).toFloat() }
        Triple(
            (0.299f * r + 0.587f * g + 0.114f * b).toInt(),
            (128 - 0.168736f * r - 0.331264f * g + 0.5f * b).toInt().coerceIn(0, 255),
            (128 + 0.5f * r - 0.418688f * g - 0.081312f * b).toInt().coerceIn(0, 255),
        )
    }

    private fun models(activity: MainActivity, name: String) {
        application.models.currentId = "digits"
        activity.tap(R.id.tab_models)
        val list = activity.find<ViewGroup>(R.id.list)
        await("models") { list.childCount == application.models.ids.size }
        check(activity, "$name-models")
    }

    private fun benchmark(activity: MainActivity, name: String) {
        application.benchmark.restore(exampleRows())
        activity.tap(R.id.tab_benchmark)
        check(activity, "$name-benchmark")
    }

    private fun check(activity: MainActivity, name: String) {
        await("layout") { !activity.window.decorView.isLayoutRequested }
        val bitmap = activity.screenshot(name)
        val colours = (0 until bitmap.width step 7).flatMap { x -> (0 until bitmap.height step 7).map { bitmap.getPixel(x, it) } }.toSet()
        assertTrue("$name has ${colours.size} colours", colours.size > 8)
        touchTargets(activity.window.decorView, name)
    }

    /** What can be tapped is at least 48 dp high and has a name for TalkBack. */
    private fun touchTargets(view: View, name: String) {
        if (view.visibility != View.VISIBLE) return
        if (view.hasOnClickListeners() && view.height > 0) {
            val dp = view.height / view.resources.displayMetrics.density
            assertTrue("$name: $view is $dp dp high", dp >= 47.9f)
            assertTrue("$name: $view has no name", spoken(view).isNotBlank())
        }
        if (view is ViewGroup) (0 until view.childCount).forEach { touchTargets(view.getChildAt(it), name) }
    }

    private fun spoken(view: View): String = when {
        !view.contentDescription.isNullOrBlank() -> view.contentDescription.toString()
        view is android.widget.TextView -> view.text.toString()
        view is ViewGroup -> (0 until view.childCount).joinToString(" ") { spoken(view.getChildAt(it)) }
        else -> ""
    }

    @Test fun phone() = look("phone-light-en", "en-w411dp-h891dp-port-notnight-420dpi")

    @Test fun `phone in the dark and in German`() = look("phone-dark-de", "de-w411dp-h891dp-port-night-420dpi")

    @Test fun `phone on its side`() = look("phone-landscape-de", "de-w891dp-h411dp-land-notnight-420dpi")

    @Test fun tablet() = look("tablet-light-de", "de-sw800dp-w1280dp-h800dp-land-notnight-240dpi")

    @Test fun `tablet upright and in the dark`() = look("tablet-dark-en", "en-sw800dp-w800dp-h1280dp-port-night-240dpi")

    @Test fun `large letters on a small phone`() = look("small-large-text-de", "de-w320dp-h569dp-port-notnight-320dpi", fontScale = 2f)
}

/** Plausible figures: real ones would differ with every run. */
private fun exampleRows() = listOf(1, 2, 4).flatMap { threads ->
    fun row(float: Boolean, delegate: Boolean, p50: Double) = Measurement(
        Setup(if (float) "digits-float" else "digits", float, delegate, threads),
        p50 / Math.sqrt(threads.toDouble()), p50 * 1.12 / Math.sqrt(threads.toDouble()), 200, if (float) 1_900_000 else 420_000, if (delegate) "neon" else null,
    )
    listOf(row(false, true, 0.21), Measurement.impossible(Setup("digits", false, false, threads)), row(true, true, 1.21), row(true, false, 1.3))
}
