package org.tflbnn.demo.camera

import java.util.Random
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertSame
import org.junit.Test
import org.tflbnn.demo.picture.Turn

class YuvFrameTest {
    @Test fun `colours are those of JPEG`() {
        // Y, Cb, Cr and what they stand for, from the JFIF formulas.
        val colours = mapOf(
            Triple(255, 128, 128) to 0xffffff, Triple(0, 128, 128) to 0x000000, Triple(76, 85, 255) to 0xfe0000,
            Triple(150, 44, 21) to 0x00ff01, Triple(29, 255, 107) to 0x0000fe,
        )
        for ((yuv, rgb) in colours) {
            for (interleaved in listOf(true, false)) {
                val frame = YuvFrame()
                SyntheticFrame.of(6, 4, Turn.NONE, interleaved) { _, _ -> yuv }.copyTo(frame)
                frame.middle().pixels.forEach { assertEquals(Integer.toHexString(rgb), Integer.toHexString(it and 0xffffff)) }
            }
        }
    }

    @Test fun `the middle of a turned frame is the turned middle`() {
        val random = Random(5)
        repeat(40) {
            val (width, height) = List(2) { 2 + random.nextInt(20) }
            val interleaved = random.nextBoolean()
            val pixels = { x: Int, y: Int -> Triple((x * 13 + y * 7) and 0xff, 128, 128) }
            val upright = YuvFrame().also { SyntheticFrame.of(width, height, Turn.NONE, interleaved, pixels).copyTo(it) }
            for (turn in Turn.values()) {
                val turned = YuvFrame().also { SyntheticFrame.of(width, height, turn, interleaved, pixels).copyTo(it) }
                assertArrayEquals(upright.middle().turned(turn.degrees).pixels, turned.middle().pixels)
            }
        }
    }

    @Test fun `frames of one size share their memory`() {
        val frame = YuvFrame()
        val random = Random(6)
        SyntheticFrame.random(random, 8, 6).copyTo(frame)
        val first = frame.middle()
        SyntheticFrame.random(random, 8, 6).copyTo(frame)
        assertSame(first, frame.middle())
    }
}
