package org.tflbnn.demo.benchmark

import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test

class MeasurementTest {
    @Test fun `percentiles are values that were measured`() {
        val values = (1L..10L).toList().shuffled()
        assertEquals(5.0, percentile(values, 50), 0.0)
        assertEquals(9.0, percentile(values, 90), 0.0)
        assertEquals(10.0, percentile(values, 100), 0.0)
        assertEquals(7.0, percentile(listOf(7L), 50), 0.0)
        assertThrows(IllegalArgumentException::class.java) { percentile(emptyList(), 50) }
    }

    @Test fun `CSV has a row for each setup, quoted where it must be`() {
        val setup = Setup("my \"net\", v2", float = false, delegate = true, threads = 2)
        val text = csv(
            listOf(Measurement.of(setup, listOf(1_500_000L), 2048, "neon"), Measurement.impossible(setup.copy(id = "=1+1", delegate = false))),
            "Maker Phone", "15", "1.0",
        )
        val lines = text.split("\r\n")
        assertEquals("\"my \"\"net\"\", v2\",1-bit,on,neon,2,1,1.5000,1.5000,2048,Maker Phone,15,1.0", lines[1])
        assertEquals("'=1+1,1-bit,off,,2,,,,,Maker Phone,15,1.0", lines[2])
        assertTrue(lines.dropLast(1).all { it.replace(Regex("\"([^\"]|\"\")*\""), "").count(','::equals) == lines[0].count(','::equals) })
    }
}
