# What `cmake --install` lays out. No file of it knows where it stands, so the whole may be moved.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(NETC_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/netc)
set(NETC_PC_DIR ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
set(NETC_RUNTIME_DIR ${CMAKE_INSTALL_DATADIR}/netc/runtime)
set(NETC_PC_PREFIX /prefix)
cmake_path(RELATIVE_PATH NETC_PC_PREFIX BASE_DIRECTORY /prefix/${NETC_PC_DIR})

# The compiler, and the library with its header and source. The library is exported apart: who
# compiles for another machine wants the compiler only.
install(TARGETS netc EXPORT netcTargets)
install(TARGETS netc_runtime EXPORT netcRuntimeTargets FILE_SET HEADERS)
install(DIRECTORY runtime/ DESTINATION ${NETC_RUNTIME_DIR})

# For find_package and pkg-config
install(EXPORT netcTargets NAMESPACE netc:: DESTINATION ${NETC_CMAKE_DIR})
install(EXPORT netcRuntimeTargets NAMESPACE netc:: DESTINATION ${NETC_CMAKE_DIR})
configure_package_config_file(cmake/netcConfig.cmake.in ${PROJECT_BINARY_DIR}/netcConfig.cmake
  INSTALL_DESTINATION ${NETC_CMAKE_DIR} PATH_VARS NETC_RUNTIME_DIR CMAKE_INSTALL_INCLUDEDIR)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/netcConfigVersion.cmake
  COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
configure_file(cmake/netc.pc.in ${PROJECT_BINARY_DIR}/netc.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/netcConfig.cmake ${PROJECT_BINARY_DIR}/netcConfigVersion.cmake
              cmake/netc_add_library.cmake
        DESTINATION ${NETC_CMAKE_DIR})
install(FILES ${PROJECT_BINARY_DIR}/netc.pc DESTINATION ${NETC_PC_DIR})

# To read: in one folder, so that links from page to page lead somewhere
install(FILES LICENSE README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs examples DESTINATION ${CMAKE_INSTALL_DOCDIR}
        PATTERN CMakeLists.txt EXCLUDE)
