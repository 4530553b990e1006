package org.tflbnn.demo.ui

import android.content.Intent
import android.os.Build
import android.os.Bundle
import android.view.View
import android.widget.Button
import android.widget.ProgressBar
import android.widget.TextView
import android.widget.Toast
import java.io.IOException
import org.json.JSONArray
import org.json.JSONObject
import org.tflbnn.demo.R
import org.tflbnn.demo.benchmark.BenchmarkState
import org.tflbnn.demo.benchmark.Measurement
import org.tflbnn.demo.benchmark.Setup
import org.tflbnn.demo.benchmark.csv

private const val ROWS = "benchmark_rows"

/** How fast the chosen model and its twin are, with the delegate and without, on more threads or fewer. */
class BenchmarkScreen(activity: MainActivity) : Screen(activity, R.layout.benchmark) {
    private val title: TextView = find(R.id.title)
    private val start: Button = find(R.id.start)
    private val save: Button = find(R.id.save)
    private val progress: ProgressBar = find(R.id.progress)
    private val status: TextView = find(R.id.status)
    private val summary: TextView = find(R.id.summary)
    private val chart: ChartView = find(R.id.chart)
    private val legend: View = find(R.id.legend)
    private val table: TextView = find(R.id.table)
    private var rows: List<Measurement> = emptyList()

    init {
        start.setOnClickListener {
            if (app.benchmark.state is BenchmarkState.Running) app.benchmark.stop() else app.benchmark.start(app.models.currentId)
        }
        save.setOnClickListener {
            activity.ask(
                Tab.BENCHMARK,
                Intent(Intent.ACTION_CREATE_DOCUMENT).addCategory(Intent.CATEGORY_OPENABLE).setType("text/csv")
                    .putExtra(Intent.EXTRA_TITLE, "tflbnn-benchmark.csv"),
            )
        }
    }

    override fun show() {
        title.text = activity.modelName(app.models.currentId, null)
        app.benchmark.listener = ::show
        show(app.benchmark.state)
    }

    override fun hide() {
        app.benchmark.listener = null
        // Another screen's work would be measured too; turning the device is no reason to stop.
        if (!activity.isChangingConfigurations) app.benchmark.stop()
    }

    override fun save(state: Bundle) {
        (app.benchmark.state as? BenchmarkState.Done)?.let { state.putString(ROWS, encode(it.rows)) }
    }

    override fun restore(state: Bundle) {
        state.getString(ROWS)?.let { app.benchmark.restore(decode(it)) }
    }

    /** The file that the user chose for the measurements. */
    override fun answer(data: Intent) {
        val uri = data.data ?: return
        val text = csv(rows, "${Build.MANUFACTURER} ${Build.MODEL}", Build.VERSION.RELEASE, version())
        val said = try {
            activity.contentResolver.openOutputStream(uri, "wt")?.use { it.write(text.toByteArray()) }
            R.string.saved
        } catch (error: IOException) {
            R.string.not_saved
        } catch (error: SecurityException) {
            R.string.not_saved
        }
        Toast.makeText(activity, said, Toast.LENGTH_LONG).show()
    }

    private fun show(state: BenchmarkState) {
        val running = state as? BenchmarkState.Running
        start.setText(if (running != null) R.string.stop else R.string.measure)
        progress.visibility = if (running != null) View.VISIBLE else View.GONE
        running?.let { progress.max = it.of; progress.progress = it.done }
        rows = (state as? BenchmarkState.Done)?.rows ?: if (running != null) emptyList() else rows
        status.text = when (state) {
            is BenchmarkState.Failed -> activity.message(state.error)
            is BenchmarkState.Running -> activity.getString(R.string.measuring, state.done, state.of)
            else -> if (rows.isEmpty()) activity.getString(R.string.benchmark_about) else activity.getString(R.string.benchmark_how)
        }
        showRows()
    }

    private fun showRows() {
        val visible = if (rows.isEmpty()) View.GONE else View.VISIBLE
        listOf(save, summary, chart, legend, table).forEach { it.visibility = visible }
        chart.rows = rows
        summary.text = faster()
        table.text = facts()
    }

    /** What the delegate brings on one thread, in a sentence. */
    private fun faster(): String {
        fun time(float: Boolean) = rows.filter { it.possible && it.setup.threads == 1 && it.setup.float == float && it.setup.delegate != float }
            .minOfOrNull(Measurement::p50)
        val binary = time(float = false) ?: return ""
        val float = time(float = true) ?: return activity.getString(R.string.binary_time, milliseconds(binary))
        return activity.getString(R.string.faster, decimal(float / binary, 1), milliseconds(binary), milliseconds(float))
    }

    private fun facts(): String {
        val kernel = rows.firstNotNullOfOrNull(Measurement::kernel) ?: activity.getString(R.string.none)
        val memory = listOf(false, true).mapNotNull { float ->
            val taken = rows.filter { it.possible && it.setup.float == float && it.setup.delegate != float }.maxOfOrNull(Measurement::memory)
            taken?.let { activity.getString(R.string.memory_of, activity.getString(if (float) R.string.kind_float else R.string.kind_binary), activity.fileSize(it)) }
        }
        return (listOf(activity.getString(R.string.kernel, kernel)) + memory).joinToString("\n")
    }

    private fun version() = activity.packageManager.getPackageInfo(activity.packageName, 0).versionName.orEmpty()
}

private fun encode(rows: List<Measurement>) = JSONArray(
    rows.map { row ->
        val setup = row.setup
        JSONArray(listOf(setup.id, setup.float, setup.delegate, setup.threads, row.p50, row.p90, row.runs, row.memory, row.kernel ?: JSONObject.NULL, row.possible))
    },
).toString()

private fun decode(text: String) = JSONArray(text).let { rows ->
    List(rows.length()) { rows.getJSONArray(it) }.map {
        val setup = Setup(it.getString(0), it.getBoolean(1), it.getBoolean(2), it.getInt(3))
        val kernel = if (it.isNull(8)) null else it.getString(8)
        Measurement(setup, it.getDouble(4), it.getDouble(5), it.getInt(6), it.getLong(7), kernel, it.getBoolean(9))
    }
}
