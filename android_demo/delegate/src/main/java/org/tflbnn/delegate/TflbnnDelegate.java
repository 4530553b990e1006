package org.tflbnn.delegate;

import java.lang.ref.PhantomReference;
import java.lang.ref.ReferenceQueue;
import java.util.Collections;
import java.util.HashSet;
import java.util.Set;
import org.tensorflow.lite.Delegate;

/**
 * Runs the 1-bit operations of Larq Compute Engine models in a stock TensorFlow Lite interpreter.
 *
 * <pre>{@code
 * try (TflbnnDelegate delegate = new TflbnnDelegate(new TflbnnDelegate.Options().setThreads(2));
 *     Interpreter interpreter =
 *         new Interpreter(model, new Interpreter.Options().addDelegate(delegate))) {
 *   interpreter.run(input, output);
 * }
 * }</pre>
 *
 * <p>A delegate may serve several interpreters, in several threads. Closing it does not disturb the
 * interpreters that use it already; new ones are refused with an {@link IllegalStateException}.
 */
public final class TflbnnDelegate implements Delegate, AutoCloseable {
  static {
    System.loadLibrary("tflbnn_delegate");
  }

  /** What a delegate is created with. A setter not called leaves its option at the default. */
  public static final class Options {
    private int threads;
    private boolean profiling;
    private String kernel;

    /**
     * Threads that compute binary operations, from 1 to 256. By default as many as the first
     * interpreter was told to use.
     */
    public Options setThreads(int threads) {
      if (threads < 1 || threads > 256) {
        throw new IllegalArgumentException(
            "The number of threads must be from 1 to 256. Received: " + threads);
      }
      this.threads = threads;
      return this;
    }

    /** Whether each operation's time is recorded, for {@link TflbnnDelegate#profile()}. */
    public Options setProfiling(boolean profiling) {
      this.profiling = profiling;
      return this;
    }

    /** One of {@link TflbnnDelegate#kernels()}; by default, or null, the best. */
    public Options setKernel(String kernel) {
      this.kernel = kernel;
      return this;
    }
  }

  private final Handle handle;
  private final String kernel;

  /** A delegate with the default options. */
  public TflbnnDelegate() {
    this(new Options());
  }

  /**
   * @throws IllegalArgumentException the processor cannot run the kernel, or there is none of that
   *     name
   */
  public TflbnnDelegate(Options options) {
    handle = new Handle(this, create(options.threads, options.profiling, options.kernel));
    kernel = kernel(handle.address);
  }

  /** For TensorFlow Lite: the address of the native delegate. */
  @Override
  public long getNativeHandle() {
    return handle.open();
  }

  /** The kernels that run: "neon", "avx512", "avx2", "scalar" or "reference". */
  public String loadedKernel() {
    return kernel;
  }

  /**
   * How long each operation of the interpreters that now use this delegate takes, as a JSON object.
   *
   * @throws IllegalStateException the delegate is closed, or was created without profiling
   */
  public String profile() {
    return profile(handle.open());
  }

  /** Whether {@link #close()} was called. */
  public boolean isClosed() {
    return handle.closed;
  }

  /**
   * Frees the delegate's memory and threads, as far as no interpreter uses them. Closing twice does
   * nothing.
   */
  @Override
  public void close() {
    handle.close();
  }

  /** The version of the native library. */
  public static native String version();

  /** The kernels that this processor can run, best first. */
  public static native String[] kernels();

  /** How many native delegates there are, for tests. */
  static int alive() {
    return Handle.ALL.size();
  }

  private static native long create(int threads, boolean profiling, String kernel);

  private static native String kernel(long handle);

  // Not static, so that the object cannot be collected meanwhile.
  private native String profile(long handle);

  private static native void close(long handle);

  private static native void free(long handle);

  /**
   * The native delegate: a few bytes that TensorFlow Lite keeps the address of, and behind them what
   * takes memory and threads. close() frees the latter; the former stay until no interpreter can
   * hold this delegate any more, which is when the garbage collector finds it unreachable.
   */
  private static final class Handle extends PhantomReference<TflbnnDelegate> {
    private static final ReferenceQueue<TflbnnDelegate> UNREACHABLE = new ReferenceQueue<>();
    private static final Set<Handle> ALL = Collections.synchronizedSet(new HashSet<Handle>());

    private final long address;
    private volatile boolean closed;

    Handle(TflbnnDelegate delegate, long address) {
      super(delegate, UNREACHABLE);
      this.address = address;
      ALL.add(this);
      for (Object old; (old = UNREACHABLE.poll()) != null; ) {
        ALL.remove(old);
        free(((Handle) old).address);
      }
    }

    long open() {
      if (closed) {
        throw new IllegalStateException("The delegate is closed. Make a new TflbnnDelegate.");
      }
      return address;
    }

    synchronized void close() {
      if (!closed) {
        closed = true;
        TflbnnDelegate.close(address);
      }
    }
  }
}
