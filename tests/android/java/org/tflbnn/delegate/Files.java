package org.tflbnn.delegate;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;

/** Whole files in memory that native code can read. */
final class Files {
  private Files() {}

  static ByteBuffer read(Path path) throws IOException {
    byte[] bytes = java.nio.file.Files.readAllBytes(path);
    ByteBuffer buffer = zeros(bytes.length).put(bytes);
    buffer.rewind();
    return buffer;
  }

  static ByteBuffer zeros(int bytes) {
    return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
  }
}
