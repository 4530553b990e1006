package org.tflbnn.demo.ui

import android.content.Intent
import android.graphics.Bitmap
import android.graphics.Canvas
import android.graphics.Color
import android.graphics.ColorFilter
import android.graphics.ImageFormat
import android.graphics.Paint
import android.graphics.PixelFormat
import android.graphics.RectF
import android.graphics.drawable.Drawable
import android.hardware.camera2.CameraCharacteristics
import android.hardware.camera2.CameraManager
import android.hardware.camera2.params.StreamConfigurationMap
import android.net.Uri
import android.util.Size
import android.view.View
import android.widget.TextView
import java.io.File
import org.junit.Assert.assertTrue
import org.robolectric.Robolectric
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.android.controller.ActivityController
import org.robolectric.shadows.ShadowCameraCharacteristics
import org.robolectric.shadows.StreamConfigurationMapBuilder
import org.tflbnn.demo.DemoApplication
import org.tflbnn.demo.TestData
import org.tflbnn.demo.await
import org.tflbnn.demo.picture.Picture
import org.tflbnn.demo.picture.toBitmap

val application get() = RuntimeEnvironment.getApplication() as DemoApplication

fun start(intent: Intent = Intent()): ActivityController<MainActivity> = Robolectric.buildActivity(MainActivity::class.java, intent).setup()

fun MainActivity.tap(id: Int) = assertTrue(find<View>(id).performClick())

fun MainActivity.textOf(id: Int) = find<TextView>(id).text.toString()

fun MainActivity.barsOf(id: Int) = find<BarsView>(id).bars

val MainActivity.cameraScreen get() = screen(Tab.CAMERA) as CameraScreen

fun picture(name: String): Uri = Uri.fromFile(TestData.file(name))

/** Waits until the camera's screen knows its model, and so has all of its parts. */
fun MainActivity.awaitModel() = await("a model's name") { textOf(org.tflbnn.demo.R.id.title).isNotEmpty() }


fun addCamera(facing: Int = CameraCharacteristics.LENS_FACING_BACK, id: String = "0") {
    val map: StreamConfigurationMap = StreamConfigurationMapBuilder.newBuilder()
        .addOutputSize(ImageFormat.YUV_420_888, Size(640, 480))
        .addOutputSize(Size(1280, 960))
        .build()
    val facts = ShadowCameraCharacteristics.newCameraCharacteristics()
    shadowOf(facts).apply {
        set(CameraCharacteristics.LENS_FACING, facing)
        set(CameraCharacteristics.SENSOR_ORIENTATION, 90)
        set(CameraCharacteristics.SCALER_STREAM_CONFIGURATION_MAP, map)
    }
    shadowOf(application.getSystemService(CameraManager::class.java)!!).addCamera(id, facts)
}

/** Draws the window as it is now into build/screenshots/NAME.png. */
fun MainActivity.screenshot(name: String): Bitmap {
    val decor = window.decorView
    val bitmap = Bitmap.createBitmap(decor.width, decor.height, Bitmap.Config.ARGB_8888)
    decor.draw(Canvas(bitmap))
    val file = File(System.getProperty("tflbnn.screenshots")!!, "$name.png")
    file.parentFile!!.mkdirs()
    file.outputStream().use { assertTrue(bitmap.compress(Bitmap.CompressFormat.PNG, 100, it)) }
    return bitmap
}

/** A picture with the square in its middle as wide as the view's shorter side, as the camera's preview is shown. */
class SquareDrawable(private val picture: Picture) : Drawable() {
    override fun draw(canvas: Canvas) {
        canvas.drawColor(Color.BLACK)
        val scale = minOf(bounds.width(), bounds.height()).toFloat() / minOf(picture.width, picture.height)
        val width = picture.width * scale
        val height = picture.height * scale
        val left = (bounds.width() - width) / 2
        val top = (bounds.height() - height) / 2
        canvas.drawBitmap(picture.toBitmap(), null, RectF(left, top, left + width, top + height), Paint(Paint.FILTER_BITMAP_FLAG))
    }

    override fun setAlpha(alpha: Int) = Unit

    override fun setColorFilter(filter: ColorFilter?) = Unit

    @Deprecated("Deprecated in Java")
    override fun getOpacity() = PixelFormat.OPAQUE
}
