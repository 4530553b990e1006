package org.tflbnn.delegate;

import org.tensorflow.lite.Delegate;

/**
 * The XNNPACK delegate within stock TensorFlow Lite. On a device TensorFlow Lite attaches it by itself; on the shim it
 * does not find it.
 */
final class Xnnpack implements Delegate, AutoCloseable {
  static {
    org.tensorflow.lite.TensorFlowLite.init();
    System.loadLibrary("xnnpack_jni");
  }

  private final long handle;

  Xnnpack(int threads) {
    handle = create(threads);
  }

  @Override
  public long getNativeHandle() {
    return handle;
  }

  @Override
  public void close() {
    destroy(handle);
  }

  private static native long create(int threads);

  private static native void destroy(long handle);
}
