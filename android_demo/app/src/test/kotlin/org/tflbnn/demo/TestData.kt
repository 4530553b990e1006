package org.tflbnn.demo

import java.io.File
import java.util.Random
import org.tflbnn.demo.model.Model
import org.tflbnn.demo.model.ModelStore
import org.tflbnn.demo.model.readDirect
import org.tflbnn.demo.picture.Picture

/** What the Python side wrote for these tests: pictures, and what `tflbnn` itself makes of them. */
object TestData {
    private val folder = File(requireNotNull(System.getProperty("tflbnn.testdata")) { "-Dtflbnn.testdata=FOLDER is missing" })

    fun file(name: String) = File(folder, name)

    /** A model of the app, or one that lies in the folder. */
    fun model(name: String, models: ModelStore): Model =
        if (name in models.ids) models.open(name) else Model(name, file("$name.tflite").inputStream().use(::readDirect))

    fun lines(name: String): List<String> = file(name).readLines()
}

fun randomPicture(random: Random, width: Int, height: Int) =
    Picture(width, height, IntArray(width * height) { (0xff shl 24) or random.nextInt(1 shl 24) })
