package org.tflbnn.delegate;

import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.tensorflow.lite.Interpreter;
import org.tensorflow.lite.TensorFlowLite;

/**
 * Runs a model on raw samples, one after the other: MODEL INPUT OUTPUT, with the properties threads (1), kernel (the
 * best; "none" for no delegate), xnnpack (false: attach it explicitly) and repeats (0: do not measure).
 *
 * <p>OUTPUT gets all outputs of each sample in turn. On standard output stand one line on what runs and, where it was
 * measured, the milliseconds of each repeat of the first sample and the delegate's profile.
 */
final class Predict {
  private Predict() {}

  public static void main(String[] arguments) throws Exception {
    Path output = Paths.get(arguments[2]);
    int threads = Integer.getInteger("threads", 1);
    String kernel = System.getProperty("kernel");
    Interpreter.Options options = new Interpreter.Options().setNumThreads(threads);
    try (TflbnnDelegate delegate =
            new TflbnnDelegate(options(threads, kernel));
        Xnnpack xnnpack = Boolean.getBoolean("xnnpack") ? new Xnnpack(threads) : null) {
      if (!"none".equals(kernel)) {
        options.addDelegate(delegate);
      }
      if (xnnpack != null) {
        options.addDelegate(xnnpack);
      }
      try (Interpreter interpreter = new Interpreter(Files.read(Paths.get(arguments[0])), options)) {
        System.out.println(
            "TensorFlow Lite " + TensorFlowLite.runtimeVersion() + " on " + System.getProperty("os.arch") + ", kernel "
                + ("none".equals(kernel) ? "none" : delegate.loadedKernel()));
        run(interpreter, Files.read(Paths.get(arguments[1])), output);
        if (Integer.getInteger("repeats", 0) > 0) {
          measure(interpreter, Files.read(Paths.get(arguments[1])), Integer.getInteger("repeats"));
          System.out.println(delegate.profile());
        }
      }
    }
  }

  private static TflbnnDelegate.Options options(int threads, String kernel) {
    return new TflbnnDelegate.Options()
        .setThreads(threads)
        .setKernel("none".equals(kernel) ? null : kernel)
        .setProfiling(Integer.getInteger("repeats", 0) > 0);
  }

  private static void run(Interpreter interpreter, ByteBuffer samples, Path output) throws Exception {
    Map<Integer, Object> outputs = outputs(interpreter);
    int size = interpreter.getInputTensor(0).numBytes();
    try (OutputStream file = java.nio.file.Files.newOutputStream(output)) {
      for (int begin = 0; begin < samples.capacity(); begin += size) {
        invoke(interpreter, samples, begin, size, outputs);
        for (int i = 0; i < outputs.size(); ++i) {
          byte[] bytes = new byte[((ByteBuffer) outputs.get(i)).capacity()];
          ((ByteBuffer) outputs.get(i)).get(bytes);
          file.write(bytes);
        }
      }
    }
  }

  private static Map<Integer, Object> outputs(Interpreter interpreter) {
    Map<Integer, Object> outputs = new HashMap<>();
    for (int i = 0; i < interpreter.getOutputTensorCount(); ++i) {
      outputs.put(i, Files.zeros(interpreter.getOutputTensor(i).numBytes()));
    }
    return outputs;
  }

  private static void invoke(Interpreter interpreter, ByteBuffer samples, int begin, int size, Map<Integer, Object> outputs) {
    ByteBuffer sample = samples.duplicate().order(samples.order());
    sample.limit(begin + size).position(begin);
    for (Object output : outputs.values()) {
      ((ByteBuffer) output).rewind();
    }
    interpreter.runForMultipleInputsOutputs(new Object[] {sample.slice().order(samples.order())}, outputs);
    for (Object output : outputs.values()) {
      ((ByteBuffer) output).rewind();
    }
  }

  private static void measure(Interpreter interpreter, ByteBuffer samples, int repeats) {
    Map<Integer, Object> outputs = outputs(interpreter);
    double[] milliseconds = new double[repeats];
    for (int i = 0; i < repeats; ++i) {
      invoke(interpreter, samples, 0, interpreter.getInputTensor(0).numBytes(), outputs);
      milliseconds[i] = interpreter.getLastNativeInferenceDurationNanoseconds() / 1e6;
    }
    System.out.println(Arrays.toString(milliseconds));
  }
}
