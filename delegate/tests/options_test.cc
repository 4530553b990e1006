#include "tflite/options.h"

#include "tests/testing.h"

namespace tflbnn {
namespace {

std::string Parse(const char* key, const char* value, Options* options) {
  return ParseOptions(&key, &value, 1, options).message();
}

TEST(OptionsAreParsed) {
  unsetenv("TFLBNN_KERNEL");
  Options options;
  CHECK(ParseOptions(nullptr, nullptr, 0, &options).ok());
  CHECK_EQ(options.num_threads, 0);
  CHECK(options.kernel == BestIsa());
  CHECK(options.fusions.on(FusionName::batch_norm));
  CHECK_EQ(Parse("num_threads", "3", &options), "");
  CHECK_EQ(options.num_threads, 3);
  CHECK_EQ(Parse("kernel", "scalar", &options), "");
  CHECK(options.kernel == Isa::kScalar);
  CHECK(!options.profile);
  CHECK(!options.verify);
  CHECK_EQ(Parse("profile", "true", &options), "");
  CHECK(options.profile);
  CHECK_EQ(Parse("verify", "true", &options), "");
  CHECK(options.verify);
  CHECK_EQ(Parse("profile", "false", &options), "");
  CHECK(!options.profile);
  CHECK_EQ(Parse("fusion", "none", &options), "");
  CHECK(!options.fusions.on(FusionName::batch_norm));
  CHECK_EQ(Parse("fusion", "none,batch_norm", &options), "");
  CHECK(options.fusions.on(FusionName::batch_norm));
  CHECK_EQ(Parse("fusion", "all,-batch_norm", &options), "");
  CHECK(!options.fusions.on(FusionName::batch_norm));
}

TEST(TheEnvironmentGivesTheDefaultKernel) {
  Options options;
  setenv("TFLBNN_KERNEL", "reference", 1);
  CHECK(ParseOptions(nullptr, nullptr, 0, &options).ok());
  CHECK(options.kernel == Isa::kReference);
  CHECK_EQ(Parse("kernel", "scalar", &options), "");
  CHECK(options.kernel == Isa::kScalar);
  setenv("TFLBNN_KERNEL", "fastest", 1);
  CHECK(!ParseOptions(nullptr, nullptr, 0, &options).ok());
  unsetenv("TFLBNN_KERNEL");
}

TEST(WrongOptionsNameTheNearest) {
  Options options;
  CHECK_EQ(Parse("num_thread", "3", &options),
           "unknown option. Received: num_thread. Did you mean num_threads?");
  CHECK_EQ(Parse("verfy", "true", &options),
           "unknown option. Received: verfy. Did you mean verify?");
  for (const char* key : {"profile", "verify"}) {
    CHECK_EQ(Parse(key, "yes", &options),
             std::string("the option ") + key + " must be true or false. Received: yes");
  }
  CHECK_EQ(Parse("kernel", "avx51", &options),
           "unknown value of the option kernel. Received: avx51. Did you mean avx512?");
  CHECK_EQ(Parse("fusion", "batchnorm", &options),
           "unknown value of the option fusion. Received: batchnorm. Did you mean batch_norm?");
  for (const char* threads : {"0", "-1", "", "two", "3x", "257", "99999999999999999999"}) {
    CHECK(Parse("num_threads", threads, &options).find("must be an integer from 1 to 256") !=
          std::string::npos);
  }
  CHECK(Parse(std::string(10000, 'x').c_str(), "1", &options).size() < 200);
#if defined(__x86_64__)
  CHECK(Parse("kernel", "neon", &options).find("cannot run the kernels neon") != std::string::npos);
#endif
}

}  // namespace
}  // namespace tflbnn
