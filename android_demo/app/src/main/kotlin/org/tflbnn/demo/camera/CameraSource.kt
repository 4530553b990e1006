package org.tflbnn.demo.camera

import android.annotation.SuppressLint
import android.content.Context
import android.graphics.ImageFormat
import android.graphics.SurfaceTexture
import android.hardware.camera2.CameraAccessException
import android.hardware.camera2.CameraCaptureSession
import android.hardware.camera2.CameraDevice
import android.hardware.camera2.CameraManager
import android.hardware.camera2.CaptureRequest
import android.media.Image
import android.media.ImageReader
import android.os.Handler
import android.os.HandlerThread
import android.view.Surface

private const val IMAGES = 2

/**
 * A camera that shows itself on a surface and gives frames to [onFrame], on a thread of its own.
 *
 * [onFailure] is called at most once for each [open], on that thread as well.
 */
class CameraSource(
    context: Context,
    private val onFrame: (Image) -> Unit,
    private val onFailure: () -> Unit,
) {
    private val manager = context.getSystemService(CameraManager::class.java)!!
    private val thread = HandlerThread("camera").apply { start() }
    private val handler = Handler(thread.looper)

    // These belong to the handler's thread.
    private var wanted = 0
    private var device: CameraDevice? = null
    private var reader: ImageReader? = null
    private var surface: Surface? = null

    /** The camera to use, one that looks away from the user if there is; null without any. */
    fun choose(): CameraChoice? = CameraChoice.best(manager)

    fun open(choice: CameraChoice, texture: SurfaceTexture) {
        handler.post {
            release()
            try {
                connect(choice, texture, ++wanted)
            } catch (error: CameraAccessException) {
                fail(wanted)
            } catch (error: IllegalArgumentException) { // the camera was unplugged meanwhile
                fail(wanted)
            } catch (error: SecurityException) { // the permission was taken back
                fail(wanted)
            }
        }
    }

    fun close() {
        handler.post(::release)
    }

    /** Ends the thread; the camera closes first. */
    fun quit() {
        close()
        thread.quitSafely()
    }

    private fun release() {
        wanted++
        device?.close()
        reader?.close()
        surface?.release()
        device = null
        reader = null
        surface = null
    }

    private fun fail(opening: Int) {
        if (opening != wanted) return
        release()
        onFailure()
    }

    @SuppressLint("MissingPermission") // the screen asks for it before it opens a camera
    private fun connect(choice: CameraChoice, texture: SurfaceTexture, opening: Int) {
        texture.setDefaultBufferSize(choice.preview.width, choice.preview.height)
        val preview = Surface(texture).also { surface = it }
        val frames = ImageReader.newInstance(choice.frames.width, choice.frames.height, ImageFormat.YUV_420_888, IMAGES)
        reader = frames
        frames.setOnImageAvailableListener({ it.acquireLatestImage()?.use(onFrame) }, handler)
        manager.openCamera(choice.id, object : CameraDevice.StateCallback() {
            override fun onOpened(camera: CameraDevice) {
                if (opening != wanted) return camera.close()
                device = camera
                attempt(opening) { start(camera, preview, frames, opening) }
            }

            override fun onDisconnected(camera: CameraDevice) {
                camera.close()
                fail(opening)
            }

            override fun onError(camera: CameraDevice, error: Int) {
                camera.close()
                fail(opening)
            }
        }, handler)
    }

    @Suppress("DEPRECATION") // its successor needs API 28
    private fun start(camera: CameraDevice, preview: Surface, frames: ImageReader, opening: Int) {
        val request = camera.createCaptureRequest(CameraDevice.TEMPLATE_PREVIEW).apply {
            addTarget(preview)
            addTarget(frames.surface)
            set(CaptureRequest.CONTROL_AF_MODE, CaptureRequest.CONTROL_AF_MODE_CONTINUOUS_PICTURE)
        }
        camera.createCaptureSession(listOf(preview, frames.surface), object : CameraCaptureSession.StateCallback() {
            override fun onConfigured(session: CameraCaptureSession) = attempt(opening) {
                session.setRepeatingRequest(request.build(), null, handler)
            }

            override fun onConfigureFailed(session: CameraCaptureSession) = fail(opening)
        }, handler)
    }

    /** A camera may be gone at any moment, and what is asked of it then throws one of these. */
    private inline fun attempt(opening: Int, action: () -> Unit) {
        if (opening != wanted) return
        try {
            action()
        } catch (error: CameraAccessException) {
            fail(opening)
        } catch (error: IllegalStateException) {
            fail(opening)
        }
    }
}
