package org.tflbnn.demo.ui

import android.content.Intent
import android.net.Uri
import android.view.View
import android.view.ViewGroup
import android.widget.LinearLayout
import android.widget.RadioButton
import android.widget.TextView
import org.tflbnn.demo.DemoException
import org.tflbnn.demo.R
import org.tflbnn.demo.inference.Predictor
import org.tflbnn.demo.model.Model
import org.tflbnn.demo.picture.Picture

/** The models to choose from; more can be opened from files. */
class ModelsScreen(activity: MainActivity) : Screen(activity, R.layout.models) {
    private val list: ViewGroup = find(R.id.list)
    private val status: TextView = find(R.id.status)

    init {
        find<View>(R.id.open).setOnClickListener {
            activity.ask(Tab.MODELS, Intent(Intent.ACTION_OPEN_DOCUMENT).addCategory(Intent.CATEGORY_OPENABLE).setType("*/*"))
        }
    }

    override fun show() = app.infer({ app.models.ids.map { id -> id to describe(id) } }) { result ->
        result.onSuccess(::fill)
    }

    /** The file that the user chose: copied, tried on an empty picture, and then the current model. */
    override fun answer(data: Intent) {
        val uri: Uri = data.data ?: return
        say(activity.getString(R.string.trying))
        app.infer({ app.models.add(uri, ::tryOut) }) { added ->
            added.onSuccess {
                app.models.currentId = it
                say(activity.getString(R.string.added, it))
            }.onFailure { say(activity.message(it)) }
            show()
        }
    }

    private fun tryOut(model: Model) {
        val description = model.description
        Predictor(model).use { it.predict(Picture(description.width, description.height)) }
    }

    private fun describe(id: String): Result<Model> = try {
        Result.success(app.models.open(id))
    } catch (error: DemoException) {
        Result.failure(error)
    }

    private fun say(text: String) {
        status.text = text
        status.visibility = View.VISIBLE
    }

    private fun fill(models: List<Pair<String, Result<Model>>>) {
        list.removeAllViews()
        models.forEach { (id, model) -> list.addView(card(id, model)) }
    }

    private fun card(id: String, opened: Result<Model>): View {
        val card = activity.layoutInflater.inflate(R.layout.model_card, list, false)
        val choice: RadioButton = card.find(R.id.choice)
        val model = opened.getOrNull()
        choice.text = activity.modelName(id, model?.description)
        choice.isChecked = id == app.models.currentId
        choice.isEnabled = model != null
        card.find<TextView>(R.id.facts).text = model?.let(::facts) ?: activity.message(opened.exceptionOrNull()!!)
        card.find<TextView>(R.id.kind).apply {
            visibility = if (model == null) View.GONE else View.VISIBLE
            model?.let { text = activity.kind(it.description) }
            isActivated = model?.description?.isBinary == true
        }
        val choose = View.OnClickListener {
            app.models.currentId = id
            for (row in 0 until list.childCount) list.getChildAt(row).find<RadioButton>(R.id.choice).isChecked = false
            choice.isChecked = true
        }
        choice.setOnClickListener(choose)
        if (model != null) card.setOnClickListener(choose)
        card.find<View>(R.id.remove).apply {
            visibility = if (app.models.isShipped(id)) View.GONE else View.VISIBLE
            contentDescription = activity.getString(R.string.remove_model, choice.text)
            setOnClickListener { app.infer({ app.models.remove(id) }) { show() } }
        }
        return card
    }

    private fun facts(model: Model): String {
        val description = model.description
        val input = description.inputs[0].shape.drop(1).joinToString("\u00A0×\u00A0")
        val classes = description.labels.size.takeIf { it > 0 } ?: description.outputs[0].shape.last()
        val members = description.members
        val lines = listOfNotNull(
            activity.getString(R.string.facts, activity.fileSize(model.size.toLong()), input),
            activity.resources.getQuantityString(if (description.isDetector) R.plurals.finds else R.plurals.classes, classes, classes) +
                description.accuracy?.let { activity.getString(R.string.accuracy, percent(it, 1)) }.orEmpty(),
            if (members > 1) activity.resources.getQuantityString(R.plurals.members, members, members) else null,
            if (description.normalization == null) activity.getString(R.string.no_normalization) else null,
        )
        return lines.joinToString("\n")
    }
}
