package org.tflbnn.demo.picture

import android.net.Uri
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.security.MessageDigest
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RuntimeEnvironment
import org.tflbnn.demo.HostRunner
import org.tflbnn.demo.TestData
import org.tflbnn.demo.model.ElementType
import org.tflbnn.demo.model.ModelStore
import org.tflbnn.demo.model.Sides

@RunWith(HostRunner::class)
class PreprocessingTest {
    private val models = ModelStore(RuntimeEnvironment.getApplication())

    /** A line for each model and picture: their names, and the SHA-256 of the tensor that the Python library makes. */
    @Test fun `makes of pictures the very bytes that tflbnn makes`() {
        val seen = HashSet<ElementType?>()
        for ((name, rows) in TestData.lines("inputs.txt").map { it.split('\t') }.groupBy { it[0] }) {
            val model = TestData.model(name, models).description
            seen += model.inputs[0].type
            val preprocessing = Preprocessing(model)
            for ((_, file, digest) in rows) {
                val tensor = ByteBuffer.allocate(model.inputs[0].run { shape.reduce(Int::times) * type!!.size }).order(ByteOrder.nativeOrder())
                preprocessing.write(loadPicture(RuntimeEnvironment.getApplication().contentResolver, Uri.fromFile(TestData.file(file))), Look.AS_IT_IS, tensor)
                assertEquals("$name $file", digest, sha256(tensor.array()))
            }
        }
        assertTrue("types: $seen", seen.containsAll(listOf(ElementType.FLOAT32, ElementType.UINT8)))
    }

    @Test fun `a model that looks at the middle of a larger picture says so`() {
        assertEquals(Sides(11, 14), TestData.model("digits-window", models).description.resized)
        // Of 14 columns, half of them dark, the middle 8 are half dark too.
        val model = TestData.model("digits-window", models).description
        val picture = Picture(14, 11, IntArray(14 * 11) { if (it % 14 < 7) 0 else 0xffffff })
        val tensor = ByteBuffer.allocate(8 * 8 * 4).order(ByteOrder.nativeOrder())
        Preprocessing(model).write(picture, Look.AS_IT_IS, tensor)
        val row = List(8) { tensor.getFloat(4 * it) }
        assertEquals(List(4) { row[0] } + List(4) { row[7] }, row)
        assertTrue(row[0] < row[7])
    }

    private fun sha256(bytes: ByteArray) = MessageDigest.getInstance("SHA-256").digest(bytes).joinToString("") { "%02x".format(it) }
}
