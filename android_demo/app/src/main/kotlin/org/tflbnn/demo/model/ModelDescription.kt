package org.tflbnn.demo.model

import java.nio.BufferUnderflowException
import java.nio.ByteBuffer
import java.security.MessageDigest
import org.json.JSONException
import org.json.JSONObject
import org.tflbnn.demo.DemoException
import org.tflbnn.demo.Problem

/** Types of a tensor's elements that pictures and scores come in, by their numbers in TFLite's schema. */
enum class ElementType(val number: Int, val size: Int) { FLOAT32(0, 4), UINT8(3, 1), INT8(9, 1) }

/** One tensor: the sizes of its axes, the type of its elements, null where it is another one, and how they count. */
data class TensorSpec(
    val shape: List<Int>,
    val type: ElementType?,
    val scale: Float = 1f,
    val zeroPoint: Int = 0,
)

/** The model takes (pixel - mean) / std, with one value for all channels or one for each. */
data class Normalization(val mean: List<Float>, val std: List<Float>)

/** A picture's sides in pixels. */
data class Sides(val height: Int, val width: Int)

/**
 * What a model file says about itself, read without running it.
 *
 * [labels] and [normalization] come from TFLite's standard metadata; [accuracy] (0 to 1) and [resized], what pictures
 * are brought to before the input's window is cut out of their middle, and [members], how many networks vote, from
 * tflbnn's own entries.
 */
data class ModelDescription(
    val name: String?,
    val text: String?,
    val labels: List<String>,
    val normalization: Normalization?,
    val accuracy: Float?,
    val inputs: List<TensorSpec>,
    val outputs: List<TensorSpec>,
    val customOperators: Set<String>,
    val resized: Sides?,
    val members: Int,
) {
    val isBinary get() = customOperators.any { it.startsWith("Lce") }
    val isDetector get() = DETECTION in customOperators

    val height get() = inputs[0].shape[1]
    val width get() = inputs[0].shape[2]
    val channels get() = inputs[0].shape[3]

    companion object {
        /** Throws a [DemoException] where the file is no model, or damaged, or not one that takes pictures. */
        fun of(file: ByteBuffer): ModelDescription {
            if (!Table.hasIdentifier(file, MODEL)) throw DemoException(Problem.NOT_A_MODEL)
            try {
                return describe(file).also(ModelDescription::requirePictures)
            } catch (error: DamagedException) {
                throw DemoException(Problem.DAMAGED_MODEL, error.message.orEmpty(), error)
            } catch (error: IndexOutOfBoundsException) {
                throw DemoException(Problem.DAMAGED_MODEL, "an offset points outside of it", error)
            } catch (error: IllegalArgumentException) {
                throw DemoException(Problem.DAMAGED_MODEL, "an offset points outside of it", error)
            } catch (error: BufferUnderflowException) {
                throw DemoException(Problem.DAMAGED_MODEL, "it ends too early", error)
            } catch (error: JSONException) {
                throw DemoException(Problem.DAMAGED_MODEL, "its entry $RECIPE or $ENSEMBLE is no such JSON", error)
            }
        }
    }
}

private const val MODEL = "TFL3"
private const val METADATA = "M001"
private const val STANDARD = "TFLITE_METADATA"
private const val RECIPE = "TFLBNN_RECIPE"
private const val ENSEMBLE = "TFLBNN_ENSEMBLE"
private const val SEAL = "TFLBNN_SHA256"
private const val DETECTION = "TFLite_Detection_PostProcess"
private const val NORMALIZATION = 1
private const val AXIS_LABELS = 2
private const val VALUE_LABELS = 3
private const val MOST_PIXELS = 1 shl 22
private const val LONGEST_SIDE = 4096 // as tflbnn has it

// The numbers are the fields' ids in tensorflow/lite/schema/schema.fbs.
private fun describe(file: ByteBuffer): ModelDescription {
    val model = Table.root(file, MODEL)
    val graph = model.tables(2).firstOrNull() ?: throw DamagedException("it has no graph")
    val tensors = graph.tables(0)
    fun specs(field: Int) = graph.ints(field).orEmpty().map { spec(tensors[it]) }
    val buffers = model.tables(4)
    val entries = model.tables(6).associate { it.text(0).orEmpty() to buffers[it.int(1)] }
    entries[SEAL]?.let { requireSeal(it, file) }
    val standard = entries[STANDARD]?.bytes(0)?.let { Table.root(it, METADATA) }
    val described = standard?.tables(3)?.firstOrNull()
    val own = entries[RECIPE]?.text(0)?.let(::JSONObject)
    return ModelDescription(
        name = standard?.text(0),
        text = standard?.text(1),
        labels = described?.let { labels(it, file) }.orEmpty(),
        normalization = described?.let(::normalization),
        accuracy = own?.let(::accuracy),
        inputs = specs(1),
        outputs = specs(2),
        customOperators = model.tables(1).mapNotNull { it.text(1) }.toSet(),
        resized = own?.let(::resized),
        members = entries[ENSEMBLE]?.text(0)?.let { JSONObject(it).getJSONArray("signatures").length() } ?: 1,
    )
}

/** tflbnn writes into a file the SHA-256 of all of it, with zeros in the place of the digest. */
private fun requireSeal(entry: Table, file: ByteBuffer) {
    val seal = entry.bytes(0) ?: return
    val start = entry.offset(0) ?: return
    val digest = MessageDigest.getInstance("SHA-256")
    val rest = file.duplicate()
    rest.position(0).limit(start)
    digest.update(rest)
    digest.update(ByteArray(seal.remaining()))
    rest.limit(file.limit()).position(start + seal.remaining())
    digest.update(rest)
    if (ByteBuffer.wrap(digest.digest()) != seal) throw DamagedException("its SHA-256 is not the one that it carries")
}

private fun spec(tensor: Table): TensorSpec {
    val quantization = tensor.table(4)
    return TensorSpec(
        tensor.ints(0).orEmpty(),
        ElementType.values().firstOrNull { it.number == tensor.byte(1) },
        quantization?.floats(2)?.firstOrNull() ?: 1f,
        // 64-bit numbers of which the lower half is all there is: zero points lie between -128 and 255.
        quantization?.ints(3)?.firstOrNull() ?: 0,
    )
}

// From here on they are those of metadata_schema.fbs.
private fun normalization(graph: Table): Normalization? {
    val units = graph.tables(2).firstOrNull()?.tables(4).orEmpty()
    val options = units.firstOrNull { it.byte(0) == NORMALIZATION }?.table(1) ?: return null
    val mean = options.floats(0) ?: return null
    val std = options.floats(1) ?: return null
    if (mean.isEmpty() || mean.size != std.size || (mean + std).any { !it.isFinite() } || std.any { it <= 0 }) {
        throw DamagedException("mean must be finite and std above 0, but are $mean and $std")
    }
    return Normalization(mean, std)
}

private fun labels(graph: Table, file: ByteBuffer): List<String>? {
    graph.tables(3).forEachIndexed { position, output ->
        val files = output.tables(6)
        val names = files.firstOrNull { it.byte(2) == VALUE_LABELS || (it.byte(2) == AXIS_LABELS && position == 0) }
        if (names != null) {
            val content = readArchived(file, names.text(0).orEmpty())
                ?: throw DamagedException("the label file ${names.text(0)} is missing")
            return String(content, Charsets.UTF_8).lineSequence().toList().dropLastWhile(String::isEmpty)
        }
    }
    return null
}

private fun accuracy(own: JSONObject): Float? = (own.opt("accuracy") as? Number)?.toFloat()?.takeIf(Float::isFinite)

/** Files of older versions have none. */
private fun resized(own: JSONObject): Sides? {
    if (own.isNull("resized")) return null
    val sides = own.optJSONArray("resized")
    val (height, width) = List(2) { sides?.optInt(it) ?: 0 }
    if (sides?.length() != 2 || height !in 1..LONGEST_SIDE || width !in 1..LONGEST_SIDE) {
        throw DamagedException("resized must be two sides from 1 to $LONGEST_SIDE, but is ${own.get("resized")}")
    }
    return Sides(height, width)
}

private fun ModelDescription.requirePictures() {
    val input = inputs.singleOrNull()
    val shape = input?.shape.orEmpty()
    if (input?.type == null || shape.size != 4 || shape[0] != 1 || shape[3] !in setOf(1, 3) ||
        shape.any { it < 1 } || shape[1].toLong() * shape[2] > MOST_PIXELS
    ) {
        throw DemoException(Problem.WRONG_INPUT, inputs.joinToString { it.shape.joinToString(" × ") })
    }
    if (normalization != null && normalization.mean.size !in setOf(1, channels)) {
        throw DamagedException("${normalization.mean.size} means do not fit $channels channels")
    }
    if (resized != null && (resized.height < height || resized.width < width)) {
        throw DamagedException("an input of $height × $width does not fit into ${resized.height} × ${resized.width}")
    }
    if (isDetector) {
        // Boxes, classes, scores and their number; a file need not say how many rows they have.
        if (outputs.size != 4 || outputs.any { it.type != ElementType.FLOAT32 }) throw wrongOutput()
    } else {
        val scores = outputs.singleOrNull() ?: throw wrongOutput()
        val classes = scores.shape.lastOrNull() ?: 0
        if (scores.type == null || classes < 1 || scores.shape.dropLast(1).any { it != 1 }) throw wrongOutput()
        if (labels.isNotEmpty() && labels.size != classes) {
            throw DemoException(Problem.WRONG_LABELS, "${labels.size} ≠ $classes")
        }
    }
}

private fun ModelDescription.wrongOutput() =
    DemoException(Problem.WRONG_OUTPUT, outputs.joinToString { it.shape.joinToString(" × ") })
