package org.tflbnn.demo.picture

import java.util.Random
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test

class InkTest {
    @Test fun `ink becomes light and paper black, whatever the light`() {
        for ((paper, ink) in listOf(255 to 0, 200 to 60, 120 to 40)) {
            val random = Random(3)
            val plane = IntArray(10_000) { if (it % 20 == 0) ink else (paper - random.nextInt(8)) }
            inkToLight(plane)
            plane.forEachIndexed { i, value -> assertEquals(if (i % 20 == 0) 255 else 0, value) }
        }
    }

    @Test fun `an empty page has no ink and every plane stays within 0 to 255`() {
        val page = IntArray(100) { 90 }
        inkToLight(page)
        assertTrue(page.all { it == 0 })
        val random = Random(4)
        repeat(200) {
            val plane = IntArray(1 + random.nextInt(50)) { random.nextInt(256) }
            inkToLight(plane)
            assertTrue(plane.all { it in 0..255 })
        }
    }
}
