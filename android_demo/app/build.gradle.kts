plugins {
    id("com.android.application")
    id("org.jetbrains.kotlin.android")
}

android {
    namespace = "org.tflbnn.demo"
    compileSdk = 35

    defaultConfig {
        applicationId = "org.tflbnn.demo"
        minSdk = 24
        targetSdk = 35
        versionCode = 256
        versionName = "0.1.0"
        ndk { abiFilters += "arm64-v8a" } // what phones have; the delegate's library brings the others, too
    }

    buildTypes {
        release {
            isMinifyEnabled = true
            isShrinkResources = true
            proguardFiles(getDefaultProguardFile("proguard-android-optimize.txt"), "proguard-rules.pro")
            signingConfig = signingConfigs.getByName("debug") // a demo; a store wants a key of its own
        }
    }

    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_1_8
        targetCompatibility = JavaVersion.VERSION_1_8
    }
    kotlinOptions { jvmTarget = "1.8" }

    androidResources {
        noCompress += "tflite" // models are mapped, so they stay uncompressed
        localeFilters += listOf("en", "de")
    }
}

dependencies {
    implementation(project(":tflbnn-delegate"))
    implementation("org.tensorflow:tensorflow-lite:2.16.1")
}
