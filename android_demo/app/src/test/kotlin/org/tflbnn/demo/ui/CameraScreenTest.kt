package org.tflbnn.demo.ui

import android.Manifest
import android.content.ComponentCallbacks2
import android.graphics.Insets
import android.graphics.SurfaceTexture
import android.hardware.camera2.CameraCharacteristics
import android.provider.Settings
import android.view.View
import android.view.WindowInsets
import java.util.Random
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.tflbnn.demo.HostRunner
import org.tflbnn.demo.R
import org.tflbnn.demo.await
import org.tflbnn.demo.camera.CameraChoice
import org.tflbnn.demo.camera.SyntheticFrame
import org.tflbnn.demo.picture.Turn

@RunWith(HostRunner::class)
class CameraScreenTest {
    private val MainActivity.notice get() = find<View>(R.id.notice)

    private fun allow() = shadowOf(application).grantPermissions(Manifest.permission.CAMERA)

    @Test fun `without a camera it leads to the pictures`() {
        val activity = start().get()
        assertEquals(View.VISIBLE, activity.notice.visibility)
        assertEquals(activity.getString(R.string.no_camera), activity.textOf(R.id.notice_text))
        activity.tap(R.id.notice_button)
        assertTrue(activity.find<View>(R.id.tab_picture).isSelected)
    }

    @Test fun `asks for the camera once, and leads to the settings after a refusal`() {
        addCamera()
        val controller = start()
        val activity = controller.get()
        assertEquals(listOf(Manifest.permission.CAMERA), shadowOf(activity).lastRequestedPermission.requestedPermissions.toList())
        activity.onRequestPermissionsResult(0, arrayOf(Manifest.permission.CAMERA), intArrayOf(-1))
        assertEquals(activity.getString(R.string.permission_needed), activity.textOf(R.id.notice_text))
        activity.tap(R.id.notice_button)
        assertEquals(Settings.ACTION_APPLICATION_DETAILS_SETTINGS, shadowOf(activity).nextStartedActivity.let { if (it.action!!.contains("REQUEST_PERM")) shadowOf(activity).nextStartedActivity else it }.action)
        allow()
        controller.pause().resume()
        assertEquals(View.GONE, activity.notice.visibility)
    }

    @Test fun `shows bars, times and frames a second for what the camera sees`() {
        addCamera()
        allow()
        val activity = start().get()
        activity.awaitModel()
        val screen = activity.cameraScreen
        val frame = SyntheticFrame.random(Random(1), 64, 48)
        repeat(3) { await("a free worker") { screen.pipeline.offer(frame::copyTo) } }
        await("bars") { activity.barsOf(R.id.bars).size == 3 && "–" !in activity.textOf(R.id.speed) }
    }

    @Test fun `pausing, turning and coming back at any moment leave a living screen`() {
        addCamera()
        allow()
        val controller = start()
        val random = Random(2)
        repeat(25) {
            val screen = controller.get().cameraScreen
            val frame = SyntheticFrame.random(random, 64, 48)
            repeat(random.nextInt(4)) { screen.pipeline.offer(frame::copyTo) }
            when (random.nextInt(4)) {
                0 -> controller.pause().resume()
                1 -> controller.recreate()
                2 -> RuntimeEnvironment.setQualifiers(if (random.nextBoolean()) "+land" else "+port").also { controller.recreate() }
                else -> controller.pause().stop().start().resume()
            }
        }
        val screen = controller.get().cameraScreen
        val frame = SyntheticFrame.random(random, 64, 48)
        await("bars") { screen.pipeline.offer(frame::copyTo) || controller.get().barsOf(R.id.bars).isNotEmpty() }
        await("bars") { controller.get().barsOf(R.id.bars).size == 3 }
    }

    @Test fun `low memory lets go of the model, and the next frame opens it again`() {
        addCamera()
        allow()
        val activity = start().get()
        activity.awaitModel()
        application.onTrimMemory(ComponentCallbacks2.TRIM_MEMORY_UI_HIDDEN)
        application.onLowMemory()
        val frame = SyntheticFrame.random(Random(3), 64, 48)
        await("a free worker") { activity.cameraScreen.pipeline.offer(frame::copyTo) }
        await("bars") { activity.barsOf(R.id.bars).size == 3 }
    }

    @Test fun `the system's bars cover nothing`() {
        val root = start().get().find<View>(R.id.root)
        val insets = WindowInsets.Builder().setInsets(WindowInsets.Type.systemBars(), Insets.of(0, 63, 0, 42))
            .setInsets(WindowInsets.Type.displayCutout(), Insets.of(80, 0, 0, 0)).build()
        root.dispatchApplyWindowInsets(insets)
        assertEquals(listOf(80, 63, 0, 42), root.run { listOf(paddingLeft, paddingTop, paddingRight, paddingBottom) })
    }

    @Test fun `a camera that another app takes is a sentence with a button`() {
        addCamera()
        allow()
        val activity = start().get()
        val screen = activity.cameraScreen
        screen.fail()
        assertEquals(activity.getString(R.string.camera_failed), activity.textOf(R.id.notice_text))
        activity.tap(R.id.notice_button)
        assertEquals(View.GONE, activity.notice.visibility)
    }

    @Test fun `opens the camera when its surface is there and closes it with the screen`() {
        addCamera()
        allow()
        val controller = start()
        controller.get().cameraScreen.onSurfaceTextureAvailable(SurfaceTexture(1), 400, 400)
        Thread.sleep(100)
        controller.pause().stop().destroy()
    }

    @Test fun `the camera that looks away from the user is preferred, and frames stand upright`() {
        addCamera(CameraCharacteristics.LENS_FACING_FRONT, "0")
        addCamera(CameraCharacteristics.LENS_FACING_BACK, "1")
        val choice = CameraChoice.best(application.getSystemService(android.hardware.camera2.CameraManager::class.java)!!)!!
        assertEquals("1", choice.id)
        assertEquals(1280, choice.preview.width)
        assertEquals(listOf(Turn.RIGHT, Turn.NONE, Turn.LEFT, Turn.OVER), listOf(0, 90, 180, 270).map(choice::turn))
        val selfie = CameraChoice("0", 270, true, choice.frames, choice.preview)
        assertEquals(listOf(Turn.LEFT, Turn.NONE, Turn.RIGHT, Turn.OVER), listOf(0, 90, 180, 270).map(selfie::turn))
    }

    @Test fun `the preview's square is as wide as the view is`() {
        val choice = CameraChoice("0", 90, false, android.util.Size(640, 480), android.util.Size(1280, 960))
        for (display in listOf(0, 90, 180, 270)) {
            val (width, height) = 300f to 500f
            // Upright on this display, the picture is as wide as the view and 4:3 as high, or the other way round.
            val bounds = android.graphics.RectF(0f, 0f, width, height)
            choice.transform(width.toInt(), height.toInt(), display).mapRect(bounds)
            val landscape = display % 180 != 0
            assertEquals(if (landscape) 400f else 300f, bounds.width(), 0.5f)
            assertEquals(if (landscape) 300f else 400f, bounds.height(), 0.5f)
            assertEquals(width / 2, bounds.centerX(), 0.5f)
        }
    }
}
