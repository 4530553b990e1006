# cmake --install build --prefix DIR: the library, its header, and how CMake and pkg-config find them. The folder may be
# moved afterwards.
#
#   find_package(tflbnn_delegate REQUIRED)
#   target_link_libraries(app PRIVATE tflbnn::delegate)
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/tflbnn_delegate)
add_library(tflbnn::delegate ALIAS tflbnn_delegate)
set_target_properties(tflbnn_delegate PROPERTIES EXPORT_NAME delegate)
target_include_directories(tflbnn_delegate INTERFACE
  $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/c>
  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)

install(TARGETS tflbnn_delegate EXPORT tflbnn_delegate
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
  RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR}
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES c/tflbnn_delegate.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT tflbnn_delegate NAMESPACE tflbnn:: FILE tflbnn_delegateConfig.cmake DESTINATION ${package_folder})
write_basic_package_version_file(tflbnn_delegateConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/tflbnn_delegateConfigVersion.cmake DESTINATION ${package_folder})

# From the folder of the .pc file to the prefix.
file(RELATIVE_PATH TFLBNN_PC_PREFIX /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
string(REGEX REPLACE "/$" "" TFLBNN_PC_PREFIX "${TFLBNN_PC_PREFIX}")
configure_file(cmake/tflbnn_delegate.pc.in tflbnn_delegate.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/tflbnn_delegate.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
