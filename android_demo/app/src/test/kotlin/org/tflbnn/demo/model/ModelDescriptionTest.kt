package org.tflbnn.demo.model

import java.nio.ByteBuffer
import java.util.Random
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNull
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RuntimeEnvironment
import org.tflbnn.demo.DemoException
import org.tflbnn.demo.HostRunner
import org.tflbnn.demo.Problem
import org.tflbnn.demo.TestData

@RunWith(HostRunner::class)
class ModelDescriptionTest {
    private fun shipped(name: String) = RuntimeEnvironment.getApplication().assets.open("models/$name.tflite").use { it.readBytes() }

    private fun describe(bytes: ByteArray) = ModelDescription.of(ByteBuffer.wrap(bytes))

    private fun problem(bytes: ByteArray) = assertThrows(DemoException::class.java) { describe(bytes) }.problem

    @Test fun `reads what tflbnn wrote`() {
        for (line in TestData.lines("descriptions.txt")) {
            val (model, labels, mean, std, accuracy) = line.split('\t')
            val members = line.substringAfterLast('\t').toInt()
            val description = describe(shipped(model))
            assertEquals(model, labels.split('|'), description.labels)
            assertEquals(model, mean.split(' ').map(String::toFloat), description.normalization?.mean)
            assertEquals(model, std.split(' ').map(String::toFloat), description.normalization?.std)
            assertEquals(model, accuracy.toFloatOrNull(), description.accuracy)
            assertEquals(model, !model.endsWith("-float"), description.isBinary)
            assertEquals(model, members, description.members)
            assertEquals(model, model == "shapes", description.isDetector)
        }
    }

    @Test fun `a file that is no model is told from a damaged one`() {
        for (bytes in listOf(ByteArray(0), ByteArray(7), ByteArray(100), "PK\u0003\u0004 some archive".toByteArray())) {
            assertEquals(Problem.NOT_A_MODEL, problem(bytes))
        }
        val whole = shipped("digits")
        for (size in listOf(8, 9, 100, whole.size / 2)) assertEquals(Problem.DAMAGED_MODEL, problem(whole.copyOf(size)))
    }

    @Test fun `a model without its label file is damaged`() {
        val whole = shipped("digits")
        val archive = (whole.size - 4 downTo 0).first { String(whole, it, 4, Charsets.ISO_8859_1) == "PK\u0001\u0002" }
        assertEquals(Problem.DAMAGED_MODEL, problem(whole.copyOf(archive)))
    }

    @Test fun `any damage ends in a description or a problem`() {
        val random = Random(8)
        val whole = shipped("digits")
        var refused = 0
        repeat(1500) {
            val bytes = whole.copyOf(if (random.nextInt(4) == 0) random.nextInt(whole.size) else whole.size)
            repeat(1 + random.nextInt(20)) {
                // Tables lie at both ends, weights between them.
                val at = random.nextInt(4000).let { if (random.nextBoolean()) it else bytes.size - 1 - it }
                if (at in bytes.indices) bytes[at] = random.nextInt(256).toByte()
            }
            try {
                describe(bytes)
            } catch (error: DemoException) {
                refused++
            }
        }
        assertTrue("refused: $refused", refused > 300)
    }

    @Test fun `files of the archive are found behind any model`() {
        val whole = ByteBuffer.wrap(shipped("fashion-mnist"))
        val labels = String(readArchived(whole, "labels.txt")!!).trim().lines()
        assertEquals(10, labels.size)
        assertNull(readArchived(whole, "other.txt"))
        assertNull(readArchived(ByteBuffer.wrap(ByteArray(10)), "labels.txt"))
        assertFalse(Table.hasIdentifier(ByteBuffer.wrap(ByteArray(3)), "TFL3"))
    }

    @Test fun `a deflated label file is read as well`() {
        val packed = java.io.ByteArrayOutputStream()
        java.util.zip.ZipOutputStream(packed).use { zip ->
            zip.putNextEntry(java.util.zip.ZipEntry("labels.txt"))
            zip.write("cat\ndog\n".repeat(100).toByteArray())
        }
        val file = ByteBuffer.wrap(ByteArray(77) + packed.toByteArray())
        assertEquals("cat\ndog\n".repeat(100), String(readArchived(file, "labels.txt")!!))
    }
}
