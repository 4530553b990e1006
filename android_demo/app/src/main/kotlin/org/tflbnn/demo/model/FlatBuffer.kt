package org.tflbnn.demo.model

import java.nio.ByteBuffer
import java.nio.ByteOrder

/** The bytes are no such FlatBuffer, or end too early. */
class DamagedException(message: String) : Exception(message)

/**
 * A table of a FlatBuffer.
 *
 * Files come from anywhere. A ByteBuffer refuses to read outside of itself, lengths are checked before anything is
 * allocated, and a table has no way back to itself that a reader would follow: a damaged file ends in an exception.
 */
class Table private constructor(private val buffer: ByteBuffer, private val position: Int) {
    private val layout = position - buffer.getInt(position)
    private val layoutSize = short(layout)

    fun byte(field: Int, default: Int = 0): Int = at(field)?.let { buffer.get(it).toInt() } ?: default

    fun int(field: Int, default: Int = 0): Int = at(field)?.let { buffer.getInt(it) } ?: default

    fun table(field: Int): Table? = at(field)?.let { Table(buffer, follow(it)) }

    fun text(field: Int): String? = bytes(field)?.let { bytes ->
        val copy = ByteArray(bytes.remaining())
        bytes.get(copy)
        String(copy, Charsets.UTF_8)
    }

    /** A vector of bytes, as a view. */
    fun bytes(field: Int): ByteBuffer? = vector(field, 1) { start, size ->
        val view = buffer.duplicate().order(ByteOrder.LITTLE_ENDIAN)
        view.position(start)
        view.limit(start + size)
        view.slice().order(ByteOrder.LITTLE_ENDIAN)
    }

    /** Where a vector of bytes begins in the file. */
    fun offset(field: Int): Int? = at(field)?.let { follow(it) + 4 }

    fun ints(field: Int): List<Int>? = vector(field, 4) { start, size -> List(size) { buffer.getInt(start + 4 * it) } }

    fun floats(field: Int): List<Float>? =
        vector(field, 4) { start, size -> List(size) { buffer.getFloat(start + 4 * it) } }

    fun tables(field: Int): List<Table> =
        vector(field, 4) { start, size -> List(size) { Table(buffer, follow(start + 4 * it)) } } ?: emptyList()

    private fun at(field: Int): Int? {
        val entry = 4 + 2 * field
        val offset = if (entry + 2 <= layoutSize) short(layout + entry) else 0
        return if (offset == 0) null else position + offset
    }

    private fun short(index: Int): Int = buffer.getShort(index).toInt() and 0xffff

    private fun follow(index: Int): Int = index + buffer.getInt(index)

    private inline fun <T> vector(field: Int, elementSize: Int, read: (start: Int, size: Int) -> T): T? {
        val start = follow(at(field) ?: return null)
        val size = buffer.getInt(start)
        if (size < 0 || size > (buffer.limit() - start - 4) / elementSize) {
            throw DamagedException("a vector of $size elements does not fit into the file")
        }
        return read(start + 4, size)
    }

    companion object {
        /** The root table of a FlatBuffer with this file identifier. */
        fun root(bytes: ByteBuffer, identifier: String): Table {
            val buffer = bytes.duplicate().order(ByteOrder.LITTLE_ENDIAN)
            if (!hasIdentifier(buffer, identifier)) throw DamagedException("it is no $identifier file")
            return Table(buffer, buffer.getInt(0))
        }

        fun hasIdentifier(bytes: ByteBuffer, identifier: String): Boolean =
            bytes.limit() >= 8 && identifier.indices.all { bytes.get(4 + it) == identifier[it].code.toByte() }
    }
}
