package org.tflbnn.demo.picture

import android.content.ContentResolver
import android.graphics.Bitmap
import android.graphics.BitmapFactory
import android.graphics.Matrix
import android.media.ExifInterface
import android.net.Uri
import java.io.FileNotFoundException
import java.io.IOException
import java.io.InputStream
import org.tflbnn.demo.DemoException
import org.tflbnn.demo.Problem
import org.tflbnn.demo.withinMemory

private const val LONGEST_SIDE = 2048

/** Reads the picture at [uri], upright as its EXIF says, at most twice [LONGEST_SIDE] pixels wide or high. */
fun loadPicture(resolver: ContentResolver, uri: Uri): Picture = withinMemory {
    try {
        val size = BitmapFactory.Options().apply { inJustDecodeBounds = true }
        open(resolver, uri) { BitmapFactory.decodeStream(it, null, size) }
        if (size.outWidth <= 0 || size.outHeight <= 0) throw DemoException(Problem.NO_PICTURE)
        val options = BitmapFactory.Options().apply { inSampleSize = 1 }
        while (maxOf(size.outWidth, size.outHeight) / options.inSampleSize > LONGEST_SIDE) options.inSampleSize *= 2
        val bitmap = open(resolver, uri) { BitmapFactory.decodeStream(it, null, options) }
            ?: throw DemoException(Problem.NO_PICTURE)
        upright(bitmap, orientation(resolver, uri)).toPicture()
    } catch (error: IOException) {
        throw DemoException(Problem.UNREADABLE_FILE, uri.lastPathSegment.orEmpty(), error)
    } catch (error: SecurityException) {
        throw DemoException(Problem.UNREADABLE_FILE, uri.lastPathSegment.orEmpty(), error)
    }
}

fun Bitmap.toPicture() = Picture(width, height).also { getPixels(it.pixels, 0, width, 0, 0, width, height) }

fun Picture.toBitmap(): Bitmap = Bitmap.createBitmap(pixels, width, height, Bitmap.Config.ARGB_8888)

private fun <T> open(resolver: ContentResolver, uri: Uri, read: (InputStream) -> T): T =
    (resolver.openInputStream(uri) ?: throw FileNotFoundException(uri.toString())).use(read)

private fun orientation(resolver: ContentResolver, uri: Uri): Int = try {
    open(resolver, uri) { ExifInterface(it).getAttributeInt(ExifInterface.TAG_ORIENTATION, ExifInterface.ORIENTATION_NORMAL) }
} catch (error: IOException) {
    ExifInterface.ORIENTATION_NORMAL // a picture without EXIF stands as it is
}

private fun upright(bitmap: Bitmap, orientation: Int): Bitmap {
    val matrix = Matrix()
    when (orientation) {
        ExifInterface.ORIENTATION_FLIP_HORIZONTAL -> matrix.setScale(-1f, 1f)
        ExifInterface.ORIENTATION_ROTATE_180 -> matrix.setRotate(180f)
        ExifInterface.ORIENTATION_FLIP_VERTICAL -> matrix.setScale(1f, -1f)
        ExifInterface.ORIENTATION_TRANSPOSE -> matrix.apply { setRotate(90f); postScale(-1f, 1f) }
        ExifInterface.ORIENTATION_ROTATE_90 -> matrix.setRotate(90f)
        ExifInterface.ORIENTATION_TRANSVERSE -> matrix.apply { setRotate(270f); postScale(-1f, 1f) }
        ExifInterface.ORIENTATION_ROTATE_270 -> matrix.setRotate(270f)
        else -> return bitmap
    }
    return Bitmap.createBitmap(bitmap, 0, 0, bitmap.width, bitmap.height, matrix, false)
}
