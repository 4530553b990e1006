package org.tflbnn.demo.picture

import java.util.Random
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Test
import org.tflbnn.demo.randomPicture

class PictureTest {
    @Test fun `a turn to the right brings the left column to the top`() {
        val picture = Picture(3, 2, intArrayOf(1, 2, 3, 4, 5, 6))
        val turned = picture.turned(90)
        assertEquals(2 to 3, turned.width to turned.height)
        assertArrayEquals(intArrayOf(4, 1, 5, 2, 6, 3), turned.pixels)
        assertArrayEquals(intArrayOf(6, 5, 4, 3, 2, 1), picture.turned(180).pixels)
        assertArrayEquals(intArrayOf(3, 6, 2, 5, 1, 4), picture.turned(-90).pixels)
    }

    @Test fun `turns add up`() {
        val random = Random(1)
        repeat(50) {
            val picture = randomPicture(random, 1 + random.nextInt(9), 1 + random.nextInt(9))
            val (a, b) = List(2) { 90 * random.nextInt(8) - 360 }
            assertArrayEquals(picture.turned(a + b).pixels, picture.turned(a).turned(b).pixels)
        }
    }

    @Test fun `the middle is the largest square`() {
        assertArrayEquals(intArrayOf(2, 3, 6, 7), Picture(4, 2, intArrayOf(1, 2, 3, 4, 5, 6, 7, 8)).middle().pixels)
        assertArrayEquals(intArrayOf(2), Picture(1, 3, intArrayOf(1, 2, 3)).middle().pixels)
    }

    @Test fun `sizes and turns must fit`() {
        assertThrows(IllegalArgumentException::class.java) { Picture(2, 2, IntArray(3)) }
        assertThrows(IllegalArgumentException::class.java) { Picture(0, 2) }
        assertThrows(IllegalArgumentException::class.java) { Turn.of(45) }
    }
}
