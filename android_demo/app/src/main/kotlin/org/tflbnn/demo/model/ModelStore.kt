package org.tflbnn.demo.model

import android.content.Context
import android.net.Uri
import android.provider.OpenableColumns
import java.io.File
import java.io.FileNotFoundException
import java.io.IOException
import java.io.InputStream
import java.io.RandomAccessFile
import java.nio.channels.FileChannel
import org.tflbnn.demo.DemoException
import org.tflbnn.demo.Problem
import org.tflbnn.demo.withinMemory

private const val SHIPPED = "models"
private const val SUFFIX = ".tflite"
private const val TWIN = "-float"
private const val CURRENT = "current"
private const val OPENING = "opening"
private const val LARGEST = 256L shl 20

/** The models of the app: those shipped as assets, and copies of those that the user opened. */
class ModelStore(private val context: Context) {
    private val preferences = context.getSharedPreferences(SHIPPED, Context.MODE_PRIVATE)
    private val folder = File(context.filesDir, SHIPPED)
    private val opened = HashMap<String, Model>()

    /** The names of all models, the shipped ones first. */
    val ids: List<String> get() = shipped + added

    private val shipped: List<String> by lazy { names(context.assets.list(SHIPPED)) }

    private val added: List<String> get() = names(folder.list()) - shipped.toSet()

    fun isShipped(id: String) = id in shipped

    /** The model that the camera and the pictures use. */
    var currentId: String
        get() = preferences.getString(CURRENT, null)?.takeIf { it in ids } ?: ids.first()
        set(id) = preferences.edit().putString(CURRENT, id).apply()

    /** The same network without binarization, or the one with, where there is one. */
    fun twin(id: String): String? =
        (if (id.endsWith(TWIN)) id.removeSuffix(TWIN) else id + TWIN).takeIf { it in ids }

    @Synchronized
    fun open(id: String): Model = opened.getOrPut(id) {
        try {
            withinMemory { Model(id, if (isShipped(id)) context.assets.open("$SHIPPED/$id$SUFFIX").use(::readDirect) else map(file(id))) }
        } catch (error: IOException) {
            throw DemoException(Problem.UNREADABLE_FILE, id, error)
        }
    }

    /**
     * Copies a file that the user chose, has it tried, and returns its name.
     *
     * @param trial runs the model once; the copy stays only if it does so without an exception.
     */
    fun add(uri: Uri, trial: (Model) -> Unit): String {
        val name = freeName(displayName(uri))
        val copy = file(name)
        try {
            folder.mkdirs()
            val stream = context.contentResolver.openInputStream(uri) ?: throw FileNotFoundException(uri.toString())
            stream.use { copyTo(it, copy) }
            val model = Model(name, map(copy))
            guarded(name) { trial(model) }
        } catch (error: DemoException) {
            copy.delete()
            throw error
        } catch (error: SecurityException) {
            copy.delete()
            throw DemoException(Problem.UNREADABLE_FILE, name, error)
        } catch (error: IOException) {
            copy.delete()
            val full = context.filesDir.usableSpace < LARGEST / 64
            throw DemoException(if (full) Problem.NO_SPACE else Problem.UNREADABLE_FILE, name, error)
        }
        return name
    }

    @Synchronized
    fun remove(id: String) {
        opened.remove(id)
        file(id).delete()
    }

    /**
     * Runs [action], which hands a model to native code. Where that ends the app, the next start refuses the model
     * instead of crashing again.
     */
    fun <T> guarded(id: String, action: () -> T): T {
        if (preferences.getString(OPENING, null) == id && !isShipped(id)) {
            forget()
            remove(id)
            throw DemoException(Problem.CRASHED_BEFORE, id)
        }
        preferences.edit().putString(OPENING, id).commit()
        try {
            return action()
        } finally {
            forget()
        }
    }

    private fun forget() {
        preferences.edit().remove(OPENING).commit()
    }

    private fun file(id: String) = File(folder, id + SUFFIX)

    private fun names(files: Array<String>?) =
        files.orEmpty().filter { it.endsWith(SUFFIX) }.map { it.removeSuffix(SUFFIX) }.sorted()

    private fun map(file: File) = RandomAccessFile(file, "r").use {
        it.channel.map(FileChannel.MapMode.READ_ONLY, 0, it.length())
    }

    private fun copyTo(stream: InputStream, copy: File) {
        var size = 0L
        copy.outputStream().use { out ->
            val buffer = ByteArray(1 shl 16)
            while (true) {
                val count = stream.read(buffer)
                if (count < 0) return
                size += count
                if (size > LARGEST) throw DemoException(Problem.MODEL_TOO_LARGE, "${LARGEST shr 20} MB")
                out.write(buffer, 0, count)
            }
        }
    }

    private fun displayName(uri: Uri): String {
        val columns = arrayOf(OpenableColumns.DISPLAY_NAME)
        val given = try {
            context.contentResolver.query(uri, columns, null, null, null)?.use { if (it.moveToFirst()) it.getString(0) else null }
        } catch (error: SecurityException) {
            throw DemoException(Problem.UNREADABLE_FILE, uri.lastPathSegment.orEmpty(), error)
        }
        return given ?: uri.lastPathSegment.orEmpty()
    }

    /** A file name without anything that could lead out of the folder, and not yet taken. */
    private fun freeName(given: String): String {
        val plain = given.substringAfterLast('/').removeSuffix(SUFFIX).replace(Regex("[^\\w. +()-]"), "_").trim('.', ' ').take(60).ifEmpty { "model" }
        return generateSequence(1) { it + 1 }.map { if (it == 1) plain else "$plain ($it)" }.first { it !in ids }
    }
}
