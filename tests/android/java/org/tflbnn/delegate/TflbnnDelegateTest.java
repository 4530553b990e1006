package org.tflbnn.delegate;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.io.File;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.Test;
import org.tensorflow.lite.Interpreter;

/** The delegate within stock TensorFlow Lite. -Dmodels names a folder with chain.tflite, its input and its output. */
public final class TflbnnDelegateTest {
  private static final Path MODELS = Paths.get(System.getProperty("models"));
  private static final String CLOSED = "The delegate is closed. Make a new TflbnnDelegate.";

  private final ByteBuffer model = Files.read(MODELS.resolve("chain.tflite"));
  private final byte[] wanted = java.nio.file.Files.readAllBytes(MODELS.resolve("chain.y"));

  public TflbnnDelegateTest() throws Exception {}

  private Interpreter interpreter(TflbnnDelegate delegate) {
    return new Interpreter(model.duplicate().order(model.order()), new Interpreter.Options().addDelegate(delegate));
  }

  private byte[] run(Interpreter interpreter) throws Exception {
    ByteBuffer output = Files.zeros(wanted.length);
    interpreter.run(Files.read(MODELS.resolve("chain.x")), output);
    byte[] bytes = new byte[wanted.length];
    output.rewind();
    output.get(bytes);
    return bytes;
  }

  private static <T> List<T> inParallel(List<Callable<T>> tasks) throws Exception {
    ExecutorService executor = Executors.newFixedThreadPool(tasks.size());
    try {
      List<T> results = new ArrayList<>();
      for (Future<T> future : executor.invokeAll(tasks)) {
        results.add(future.get());
      }
      return results;
    } finally {
      executor.shutdownNow();
    }
  }

  @Test
  public void computesWhatTheNetworkMust() throws Exception {
    for (String kernel : TflbnnDelegate.kernels()) {
      for (int threads = 1; threads <= 3; ++threads) {
        TflbnnDelegate.Options options = new TflbnnDelegate.Options().setThreads(threads).setKernel(kernel);
        try (TflbnnDelegate delegate = new TflbnnDelegate(options); Interpreter interpreter = interpreter(delegate)) {
          assertEquals(kernel, delegate.loadedKernel());
          assertArrayEquals(kernel, wanted, run(interpreter));
        }
      }
    }
  }

  @Test
  public void withoutItStockTensorFlowLiteRefusesTheModel() {
    String message = assertThrows(RuntimeException.class, () -> new Interpreter(model).close()).getMessage();
    assertTrue(message, message.contains("unresolved custom op"));
  }

  @Test
  public void tellsWhatItIs() {
    assertTrue(TflbnnDelegate.version(), TflbnnDelegate.version().matches("\\d+\\.\\d+\\.\\d+.*"));
    List<String> kernels = Arrays.asList(TflbnnDelegate.kernels());
    assertTrue(kernels.toString(), kernels.containsAll(Arrays.asList("scalar", "reference")));
    try (TflbnnDelegate delegate = new TflbnnDelegate(new TflbnnDelegate.Options().setKernel("auto"))) {
      assertEquals(kernels.get(0), delegate.loadedKernel());
    }
  }

  @Test
  public void closingTwiceDoesNothing() {
    TflbnnDelegate delegate = new TflbnnDelegate();
    assertFalse(delegate.isClosed());
    delegate.close();
    delegate.close();
    assertTrue(delegate.isClosed());
  }

  @Test
  public void isRefusedOnceClosed() {
    TflbnnDelegate delegate = new TflbnnDelegate(new TflbnnDelegate.Options().setProfiling(true));
    delegate.close();
    assertEquals(CLOSED, assertThrows(IllegalStateException.class, () -> interpreter(delegate)).getMessage());
    assertEquals(CLOSED, assertThrows(IllegalStateException.class, delegate::getNativeHandle).getMessage());
    assertEquals(CLOSED, assertThrows(IllegalStateException.class, delegate::profile).getMessage());
  }

  @Test
  public void mayBeClosedBeforeItsInterpreter() throws Exception {
    TflbnnDelegate delegate = new TflbnnDelegate(new TflbnnDelegate.Options().setThreads(2));
    try (Interpreter interpreter = interpreter(delegate)) {
      assertArrayEquals(wanted, run(interpreter));
      delegate.close();
      assertArrayEquals(wanted, run(interpreter));
      int[] shape = interpreter.getInputTensor(0).shape();
      shape[0] = 2;
      interpreter.resizeInput(0, shape);
      interpreter.allocateTensors();
      shape[0] = 1;
      interpreter.resizeInput(0, shape);
      assertArrayEquals(wanted, run(interpreter));
    }
  }

  @Test
  public void mayOutliveItsInterpreters() throws Exception {
    try (TflbnnDelegate delegate = new TflbnnDelegate()) {
      for (int i = 0; i < 3; ++i) {
        Interpreter interpreter = interpreter(delegate);
        assertArrayEquals(wanted, run(interpreter));
        interpreter.close();
        assertThrows(IllegalStateException.class, () -> run(interpreter));
      }
    }
  }

  @Test
  public void servesTwoInterpretersInTwoThreads() throws Exception {
    for (int threads = 1; threads <= 2; ++threads) {
      try (TflbnnDelegate delegate = new TflbnnDelegate(new TflbnnDelegate.Options().setThreads(threads))) {
        Callable<Boolean> task =
            () -> {
              try (Interpreter interpreter = interpreter(delegate)) {
                boolean equal = true;
                for (int i = 0; i < 20; ++i) {
                  equal &= Arrays.equals(wanted, run(interpreter));
                }
                return equal;
              }
            };
        assertEquals(Arrays.asList(true, true), inParallel(Arrays.asList(task, task)));
      }
    }
  }

  /** Each attempt gives an interpreter that computes, or an exception that says why there is none. */
  @Test
  public void mayBeClosedWhileAnInterpreterIsMade() throws Exception {
    for (int round = 0; round < 40; ++round) {
      TflbnnDelegate delegate = new TflbnnDelegate();
      Callable<Boolean> make =
          () -> {
            try (Interpreter interpreter = interpreter(delegate)) {
              return Arrays.equals(wanted, run(interpreter));
            } catch (IllegalStateException | IllegalArgumentException error) {
              return error.getMessage().contains(CLOSED);
            }
          };
      Callable<Boolean> close =
          () -> {
            delegate.close();
            return true;
          };
      assertEquals(Arrays.asList(true, true, true), inParallel(Arrays.asList(make, close, make)));
    }
  }

  /** Nobody closes these; what the garbage collector finds is freed, and what an interpreter holds stays. */
  @Test
  public void isFreedWhenNothingHoldsIt() throws Exception {
    try (Interpreter interpreter = interpreter(new TflbnnDelegate())) {
      for (int i = 0; i < 200; ++i) {
        new TflbnnDelegate(new TflbnnDelegate.Options().setThreads(1 + i % 3));
      }
      for (int i = 0; i < 5; ++i) {
        System.gc();
        Thread.sleep(20);
        new TflbnnDelegate().close();
      }
      assertTrue(TflbnnDelegate.alive() + " alive", TflbnnDelegate.alive() < 50);
      assertArrayEquals(wanted, run(interpreter));
    }
  }

  @Test
  public void refusesWhatItDoesNotKnow() {
    TflbnnDelegate.Options options = new TflbnnDelegate.Options();
    for (int threads : new int[] {-1, 0, 257}) {
      String message = assertThrows(IllegalArgumentException.class, () -> options.setThreads(threads)).getMessage();
      assertEquals("The number of threads must be from 1 to 256. Received: " + threads, message);
    }
    options.setKernel("scaler");
    String message = assertThrows(IllegalArgumentException.class, () -> new TflbnnDelegate(options)).getMessage();
    assertTrue(message, message.contains("Received: scaler. Did you mean scalar?"));
  }

  /** Models that no converter writes: an exception each, and mostly one that says what is wrong. */
  @Test
  public void refusesWrongModels() throws Exception {
    int said = 0;
    File[] models = MODELS.resolve("wrong").toFile().listFiles();
    assertTrue(models.length > 40);
    for (File file : models) {
      try (TflbnnDelegate delegate = new TflbnnDelegate()) {
        Exception error =
            assertThrows(
                file.getName(),
                Exception.class,
                () -> {
                  Interpreter.Options options = new Interpreter.Options().addDelegate(delegate);
                  try (Interpreter interpreter = new Interpreter(Files.read(file.toPath()), options)) {
                    interpreter.run(Files.zeros(interpreter.getInputTensor(0).numBytes()), null);
                  }
                });
        said += String.valueOf(error.getMessage()).contains("tflbnn: ") ? 1 : 0;
      }
    }
    assertTrue(said + " of " + models.length, said > models.length * 3 / 4);
  }

  @Test
  public void profilesOnRequest() throws Exception {
    try (TflbnnDelegate delegate = new TflbnnDelegate(new TflbnnDelegate.Options().setProfiling(true).setThreads(2));
        Interpreter interpreter = interpreter(delegate)) {
      run(interpreter);
      String profile = delegate.profile();
      assertTrue(profile, profile.startsWith("{") && profile.contains("\"LceBconv2d\""));
    }
    try (TflbnnDelegate delegate = new TflbnnDelegate()) {
      String message = assertThrows(IllegalStateException.class, delegate::profile).getMessage();
      assertTrue(message, message.contains("Options.setProfiling(true)"));
    }
  }
}
