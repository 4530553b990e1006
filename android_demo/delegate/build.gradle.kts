plugins {
    id("com.android.library")
}

android {
    namespace = "org.tflbnn.delegate"
    compileSdk = 35
    ndkVersion = "27.2.12479018"

    defaultConfig {
        minSdk = 21
        consumerProguardFiles("consumer-rules.pro")
        ndk {
            abiFilters += listOf("arm64-v8a", "armeabi-v7a", "x86_64", "x86")
        }
        externalNativeBuild {
            cmake {
                // The C++ library is linked in, so that the delegate needs nothing beside Android's own libraries.
                arguments += listOf("-DANDROID_STL=c++_static", "-DCMAKE_BUILD_TYPE=Release")
                targets += "tflbnn"
            }
        }
    }

    externalNativeBuild {
        cmake {
            path = file("src/main/cpp/CMakeLists.txt")
            version = "3.22.1"
        }
    }

    buildFeatures {
        prefabPublishing = true
        buildConfig = false
    }

    prefab {
        create("tflbnn") {
            headers = "../../delegate/c"
            libraryName = "libtflbnn_delegate"
        }
    }

    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_1_8
        targetCompatibility = JavaVersion.VERSION_1_8
    }
}

dependencies {
    // Delegate and Interpreter; the app brings the interpreter's library.
    api("org.tensorflow:tensorflow-lite-api:2.16.1")
}
