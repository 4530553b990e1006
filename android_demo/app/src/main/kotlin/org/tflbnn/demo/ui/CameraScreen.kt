package org.tflbnn.demo.ui

import android.Manifest
import android.content.Intent
import android.content.pm.PackageManager
import android.graphics.SurfaceTexture
import android.media.Image
import android.net.Uri
import android.os.Bundle
import android.provider.Settings
import android.view.TextureView
import android.view.View
import android.widget.Button
import android.widget.CheckBox
import android.widget.TextView
import org.tflbnn.demo.R
import org.tflbnn.demo.camera.CameraChoice
import org.tflbnn.demo.camera.CameraSource
import org.tflbnn.demo.camera.YuvFrame
import org.tflbnn.demo.camera.copy
import org.tflbnn.demo.inference.FramePipeline
import org.tflbnn.demo.inference.FrameRate
import org.tflbnn.demo.inference.FrameResult
import org.tflbnn.demo.inference.Prediction
import org.tflbnn.demo.picture.Look
import org.tflbnn.demo.picture.Turn

private const val SHOWN = 3
private const val INK = "camera_ink"
private const val ASKED = "camera_asked"

/** What the model sees in front of the camera, live. */
class CameraScreen(activity: MainActivity) : Screen(activity, R.layout.camera), TextureView.SurfaceTextureListener {
    private val preview: TextureView = find(R.id.preview)
    private val boxes: BoxesView = find(R.id.boxes)
    private val bars: BarsView = find<BarsView>(R.id.bars).apply { rows = SHOWN }
    private val title: TextView = find(R.id.title)
    private val speed: TextView = find(R.id.speed)
    private val ink: CheckBox = find(R.id.ink)
    private val notice = Notice(find(R.id.notice))
    private val rate = FrameRate()
    private val camera = CameraSource(activity, ::offer) { app.main.execute { fail() } }

    @Volatile
    private var turn = Turn.NONE

    @Volatile
    private var look = Look.AS_IT_IS
    private var choice: CameraChoice? = null
    private var texture: SurfaceTexture? = null
    private var shown = false
    private var asked = false

    /** Where frames come in; open for those that have no camera. */
    internal val pipeline = FramePipeline(app.worker, app.main, YuvFrame(), ::predict, ::show)

    init {
        preview.surfaceTextureListener = this
        ink.setOnCheckedChangeListener { _, checked -> look = if (checked) Look.INK else Look.AS_IT_IS }
    }

    override fun show() {
        shown = true
        rate.reset()
        pipeline.resume()
        app.infer({ it.get() }) { opened ->
            opened.onSuccess { predictor ->
                val description = predictor.model.description
                title.text = activity.getString(
                    R.string.model_and_kind, activity.modelName(predictor.model.id, description), activity.kind(description),
                )
                ink.visibility = if (description.channels == 1) View.VISIBLE else View.GONE
                look = if (description.channels == 1 && ink.isChecked) Look.INK else Look.AS_IT_IS
            }.onFailure { if (shown) notice.show(activity.message(it), R.string.choose_model) { activity.open(Tab.MODELS) } }
        }
        connect()
    }

    override fun hide() {
        shown = false
        pipeline.pause()
        camera.close()
    }

    override fun destroy() = camera.quit()

    override fun save(state: Bundle) {
        state.putBoolean(INK, ink.isChecked)
        state.putBoolean(ASKED, asked)
    }

    override fun restore(state: Bundle) {
        ink.isChecked = state.getBoolean(INK, true)
        asked = state.getBoolean(ASKED)
    }

    override fun permission() = connect()

    private fun connect() {
        choice = camera.choose()
        val found = choice
        when {
            found == null -> notice.show(activity.getString(R.string.no_camera), R.string.choose_picture) { activity.open(Tab.PICTURE) }
            activity.checkSelfPermission(Manifest.permission.CAMERA) != PackageManager.PERMISSION_GRANTED -> askFirst()
            else -> {
                notice.hide()
                aim(found)
                texture?.let { camera.open(found, it) }
            }
        }
    }

    private fun askFirst() {
        val permission = Manifest.permission.CAMERA
        if (!asked) {
            asked = true
            activity.askPermission(Tab.CAMERA, permission)
        }
        // After a second refusal the system does not ask any more, and only its settings can help.
        if (activity.shouldShowRequestPermissionRationale(permission)) {
            notice.show(activity.getString(R.string.permission_needed), R.string.allow) { activity.askPermission(Tab.CAMERA, permission) }
        } else {
            notice.show(activity.getString(R.string.permission_needed), R.string.open_settings, ::openSettings)
        }
    }

    private fun openSettings() {
        val page = Uri.fromParts("package", activity.packageName, null)
        activity.startActivity(Intent(Settings.ACTION_APPLICATION_DETAILS_SETTINGS, page))
    }

    private fun aim(choice: CameraChoice) {
        @Suppress("DEPRECATION") // its successor needs API 30
        val display = activity.windowManager.defaultDisplay.rotation * 90
        turn = choice.turn(display)
        boxes.mirrored = choice.mirrored
        if (preview.width > 0 && preview.height > 0) preview.setTransform(choice.transform(preview.width, preview.height, display))
    }

    internal fun fail() {
        if (shown) notice.show(activity.getString(R.string.camera_failed), R.string.try_again, ::connect)
    }

    /** On the camera's thread. */
    private fun offer(image: Image) {
        pipeline.offer { it.copy(image, turn) }
    }

    /** On the worker. */
    private fun predict(frame: YuvFrame): Prediction = app.predictor.get().predict(frame.middle(), look)

    private fun show(result: FrameResult<Prediction>) {
        val prediction = result.outcome.getOrElse {
            return notice.show(activity.message(it), R.string.choose_model) { activity.open(Tab.MODELS) }
        }
        bars.bars = bars(prediction.guesses, prediction.probabilities, SHOWN)
        boxes.objects = prediction.objects.orEmpty()
        val frames = rate.count(System.nanoTime())
        speed.text = activity.getString(
            R.string.speed, milliseconds(prediction.inference / 1e6), milliseconds(prediction.total / 1e6),
            frames?.let { decimal(it.toDouble(), 0) } ?: "–",
        )
    }

    override fun onSurfaceTextureAvailable(surface: SurfaceTexture, width: Int, height: Int) {
        texture = surface
        if (shown) connect()
    }

    override fun onSurfaceTextureSizeChanged(surface: SurfaceTexture, width: Int, height: Int) {
        choice?.let(::aim)
    }

    override fun onSurfaceTextureDestroyed(surface: SurfaceTexture): Boolean {
        texture = null
        camera.close()
        return true
    }

    override fun onSurfaceTextureUpdated(surface: SurfaceTexture) = Unit
}
