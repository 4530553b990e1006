package org.tflbnn.demo.picture

import java.util.Random
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.tflbnn.demo.TestData

class ResizeTest {
    /** Each case is three lines of numbers: the sizes, the values before, and after. */
    @Test fun `resizes bit for bit as tflbnn predict`() {
        val cases = TestData.lines("resize.txt").map { line -> line.split(' ').map(String::toInt).toIntArray() }.chunked(3)
        assertTrue("cases: ${cases.size}", cases.size >= 20)
        for ((sizes, before, after) in cases) {
            val result = IntArray(after.size)
            Resize(sizes[0], sizes[1], sizes[2], sizes[3]).apply(before, result)
            assertArrayEquals(sizes.joinToString(), after, result)
        }
    }

    @Test fun `a plane of one value keeps it`() {
        val random = Random(2)
        repeat(200) {
            val (width, height, newWidth, newHeight) = List(4) { 1 + random.nextInt(70) }
            val value = random.nextInt(256)
            val result = IntArray(newWidth * newHeight)
            Resize(width, height, newWidth, newHeight).apply(IntArray(width * height) { value }, result)
            assertTrue(result.all { it == value })
        }
    }
}
