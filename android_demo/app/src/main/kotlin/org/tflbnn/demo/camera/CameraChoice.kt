package org.tflbnn.demo.camera

import android.graphics.ImageFormat
import android.graphics.Matrix
import android.graphics.SurfaceTexture
import android.hardware.camera2.CameraAccessException
import android.hardware.camera2.CameraCharacteristics
import android.hardware.camera2.CameraManager
import android.util.Size
import org.tflbnn.demo.picture.Turn

private const val FRAME_AREA = 640 * 480
private const val LONGEST_PREVIEW = 1920

/** A camera with the sizes to take from it; [sensor] is how its sensor is turned, [mirrored] if it faces the user. */
class CameraChoice(val id: String, val sensor: Int, val mirrored: Boolean, val frames: Size, val preview: Size) {
    /** By how much a frame must be turned to stand upright on a display turned by so many degrees. */
    fun turn(display: Int): Turn = Turn.of(if (mirrored) sensor + display else sensor - display)

    /**
     * What a TextureView of this size needs to show the preview upright and undistorted, the square in the middle of
     * it as wide as the view's shorter side.
     *
     * The view already turns the buffer by [sensor] and stretches it to its own size.
     */
    fun transform(width: Int, height: Int, display: Int): Matrix {
        val swapped = sensor % 180 != 0
        val bufferWidth = if (swapped) preview.height else preview.width
        val bufferHeight = if (swapped) preview.width else preview.height
        val scale = minOf(width, height).toFloat() / minOf(bufferWidth, bufferHeight)
        return Matrix().apply {
            setScale(bufferWidth * scale / width, bufferHeight * scale / height, width / 2f, height / 2f)
            postRotate(-display.toFloat(), width / 2f, height / 2f)
        }
    }

    companion object {
        fun best(manager: CameraManager): CameraChoice? = try {
            manager.cameraIdList.mapNotNull { describe(it, manager.getCameraCharacteristics(it)) }
                .minByOrNull(CameraChoice::mirrored)
        } catch (error: CameraAccessException) {
            null
        }

        private fun describe(id: String, facts: CameraCharacteristics): CameraChoice? {
            val map = facts[CameraCharacteristics.SCALER_STREAM_CONFIGURATION_MAP] ?: return null
            val frames = map.getOutputSizes(ImageFormat.YUV_420_888).orEmpty()
                .minByOrNull { Math.abs(it.width * it.height - FRAME_AREA) } ?: return null
            val preview = map.getOutputSizes(SurfaceTexture::class.java).orEmpty()
                .filter { it.width * frames.height == it.height * frames.width && it.width <= LONGEST_PREVIEW }
                .maxByOrNull(Size::getWidth) ?: frames
            val mirrored = facts[CameraCharacteristics.LENS_FACING] == CameraCharacteristics.LENS_FACING_FRONT
            return CameraChoice(id, facts[CameraCharacteristics.SENSOR_ORIENTATION] ?: 0, mirrored, frames, preview)
        }
    }
}
