package org.tflbnn.demo.benchmark

import java.util.Locale

/** One way to run a model; [float] is the twin without binarization. */
data class Setup(val id: String, val float: Boolean, val delegate: Boolean, val threads: Int)

/**
 * How long one inference takes, over [runs] of them, and what the network takes in memory beside its file, in bytes.
 *
 * [kernel] is the one that the delegate used, null without it. [possible] is false where stock TFLite alone does not
 * know the model's binary operations; the figures are 0 then.
 */
data class Measurement(
    val setup: Setup,
    val p50: Double,
    val p90: Double,
    val runs: Int,
    val memory: Long,
    val kernel: String?,
    val possible: Boolean = true,
) {
    companion object {
        fun of(setup: Setup, nanoseconds: List<Long>, memory: Long, kernel: String?) = Measurement(
            setup, percentile(nanoseconds, 50) / 1e6, percentile(nanoseconds, 90) / 1e6, nanoseconds.size, memory, kernel,
        )

        fun impossible(setup: Setup) = Measurement(setup, 0.0, 0.0, 0, 0, null, possible = false)
    }
}

/** The value that at least so many percent of all do not exceed. */
fun percentile(values: List<Long>, percent: Int): Double {
    require(values.isNotEmpty() && percent in 1..100) { "A percentile needs values. Received: ${values.size} and $percent." }
    return values.sorted()[(values.size * percent + 99) / 100 - 1].toDouble()
}

private const val HEADER = "model,variant,delegate,kernel,threads,runs,p50_ms,p90_ms,memory_bytes,device,android,app"

/** The measurements as CSV; what stock TFLite cannot run has empty figures. */
fun csv(measurements: List<Measurement>, device: String, android: String, app: String): String = buildString {
    append(HEADER).append("\r\n")
    for (row in measurements) {
        val figures = if (row.possible) listOf(row.runs, ms(row.p50), ms(row.p90), row.memory) else listOf("", "", "", "")
        val setup = row.setup
        val variant = if (setup.float) "float" else "1-bit"
        val cells = listOf(setup.id, variant, if (setup.delegate) "on" else "off", row.kernel ?: "", setup.threads) +
            figures + listOf(device, android, app)
        append(cells.joinToString(",") { quoted(it.toString()) }).append("\r\n")
    }
}

private fun ms(value: Double) = String.format(Locale.ROOT, "%.4f", value)

/** In quotes where a comma or quote stands in it; a cell that spreadsheets would take for a formula becomes text. */
private fun quoted(cell: String): String {
    val safe = if (cell.firstOrNull() in setOf('=', '+', '-', '@')) "'$cell" else cell
    return if (safe.any { it in ",\"\r\n" }) "\"${safe.replace("\"", "\"\"")}\"" else safe
}
