package org.tflbnn.demo.model

import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.util.zip.DataFormatException
import java.util.zip.Inflater

private const val END = 0x06054b50
private const val END_SIZE = 22
private const val ENTRY = 0x02014b50
private const val ENTRY_SIZE = 46
private const val LOCAL_SIZE = 30
private const val STORED = 0
private const val DEFLATED = 8
private const val LARGEST_FILE = 16 shl 20

/**
 * A file of the ZIP archive that TFLite's metadata appends to a model, or null where there is none of that name.
 *
 * java.util.zip reads archives from files only, and not all of Android's versions allow something in front of them.
 */
fun readArchived(file: ByteBuffer, name: String): ByteArray? {
    val bytes = file.duplicate().order(ByteOrder.LITTLE_ENDIAN)
    val end = findEnd(bytes) ?: return null
    val entries = unsigned(bytes, end + 10)
    val size = bytes.getInt(end + 12)
    // Offsets count from the model's first byte or from the archive's; where the directory lies says which.
    val shift = end - size - bytes.getInt(end + 16)
    var entry = end - size
    repeat(entries) {
        if (bytes.getInt(entry) != ENTRY) throw DamagedException("the archive at its end has no directory")
        val lengths = (0 until 3).map { unsigned(bytes, entry + 28 + 2 * it) }
        if (textAt(bytes, entry + ENTRY_SIZE, lengths[0]) == name) return readEntry(bytes, entry, shift)
        entry += ENTRY_SIZE + lengths.sum()
    }
    return null
}

/** The record that ends an archive, in front of a comment of up to 64 KiB. */
private fun findEnd(bytes: ByteBuffer): Int? {
    val last = bytes.limit() - END_SIZE
    return (last downTo maxOf(0, last - 0xffff)).firstOrNull { bytes.getInt(it) == END }
}

private fun readEntry(bytes: ByteBuffer, entry: Int, shift: Int): ByteArray {
    val method = bytes.getShort(entry + 10).toInt()
    val packed = bytes.getInt(entry + 20)
    val size = bytes.getInt(entry + 24)
    val local = bytes.getInt(entry + 42) + shift
    val start = local + LOCAL_SIZE + unsigned(bytes, local + 26) + unsigned(bytes, local + 28)
    if (size !in 0..LARGEST_FILE || packed < 0 || start < 0 || packed > bytes.limit() - start) {
        throw DamagedException("a file in the archive at its end does not fit into it")
    }
    val content = copy(bytes, start, packed)
    return when (method) {
        STORED -> content
        DEFLATED -> inflate(content, size)
        else -> throw DamagedException("a file in the archive at its end is packed by method $method")
    }
}

private fun inflate(content: ByteArray, size: Int): ByteArray {
    val inflater = Inflater(true)
    try {
        inflater.setInput(content)
        val result = ByteArray(size)
        var filled = 0
        while (filled < size) {
            val more = inflater.inflate(result, filled, size - filled)
            if (more == 0) throw DamagedException("a file in the archive at its end stops too early")
            filled += more
        }
        return result
    } catch (error: DataFormatException) {
        throw DamagedException("a file in the archive at its end cannot be unpacked (${error.message})")
    } finally {
        inflater.end()
    }
}

private fun unsigned(bytes: ByteBuffer, index: Int) = bytes.getShort(index).toInt() and 0xffff

private fun textAt(bytes: ByteBuffer, start: Int, size: Int) = String(copy(bytes, start, size), Charsets.UTF_8)

private fun copy(bytes: ByteBuffer, start: Int, size: Int): ByteArray {
    val view = bytes.duplicate()
    view.position(start)
    return ByteArray(size).also(view::get)
}
