# What `cmake --install` lays out, and what cpack packs. No file of it knows where it stands, so the
# whole may be moved.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(NETC_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/netc)
set(NETC_PC_DIR ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
set(NETC_RUNTIME_DIR ${CMAKE_INSTALL_DATADIR}/netc/runtime)
set(NETC_PC_PREFIX /prefix)
cmake_path(RELATIVE_PATH NETC_PC_PREFIX BASE_DIRECTORY /prefix/${NETC_PC_DIR})

# The compiler, as a program and as a library, and what networks are linked with, in source too. The
# libraries are exported apart: who compiles for another machine wants the program only.
install(TARGETS netc EXPORT netcTargets)
install(TARGETS netc_shared netc_runtime EXPORT netcLibraryTargets FILE_SET HEADERS)
install(DIRECTORY runtime/ DESTINATION ${NETC_RUNTIME_DIR})

# For find_package and pkg-config
install(EXPORT netcTargets NAMESPACE netc:: DESTINATION ${NETC_CMAKE_DIR})
install(EXPORT netcLibraryTargets NAMESPACE netc:: DESTINATION ${NETC_CMAKE_DIR})
configure_package_config_file(cmake/netcConfig.cmake.in ${PROJECT_BINARY_DIR}/netcConfig.cmake
  INSTALL_DESTINATION ${NETC_CMAKE_DIR} PATH_VARS NETC_RUNTIME_DIR CMAKE_INSTALL_INCLUDEDIR)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/netcConfigVersion.cmake
  COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
configure_file(cmake/netc.pc.in ${PROJECT_BINARY_DIR}/netc.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/netcConfig.cmake ${PROJECT_BINARY_DIR}/netcConfigVersion.cmake
              cmake/netc_add_library.cmake
        DESTINATION ${NETC_CMAKE_DIR})
install(FILES ${PROJECT_BINARY_DIR}/netc.pc DESTINATION ${NETC_PC_DIR})

# The Python package, where Debian's Python looks for it if the prefix is /usr
install(DIRECTORY python/netc DESTINATION lib/python3/dist-packages PATTERN __pycache__ EXCLUDE)

# To read: in one folder, so that links from page to page lead somewhere
install(FILES LICENSE README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs examples DESTINATION ${CMAKE_INSTALL_DOCDIR}
        PATTERN CMakeLists.txt EXCLUDE)

# Man pages, and completions for shells
set(NETC_PAGES ${PROJECT_BINARY_DIR}/pages)
file(MAKE_DIRECTORY ${NETC_PAGES})
add_custom_target(pages ALL)
function(netc_page file folder source) # made from `source` by the command that follows
  add_custom_command(OUTPUT ${NETC_PAGES}/${file} COMMAND ${ARGN} -o ${NETC_PAGES}/${file}
                     DEPENDS ${source} VERBATIM)
  install(FILES ${NETC_PAGES}/${file} DESTINATION ${CMAKE_INSTALL_DATADIR}/${folder})
  target_sources(pages PRIVATE ${NETC_PAGES}/${file})
endfunction()
netc_page(netc.1 man/man1 netc netc --help=man)
netc_page(netc bash-completion/completions netc netc --help=bash)
netc_page(_netc zsh/vendor-completions netc netc --help=zsh)
netc_page(netc.fish fish/vendor_completions.d netc netc --help=fish)
if(LOWDOWN)
  # The page on the language, with the first section that man(1) looks for
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS docs/language.md)
  file(READ docs/language.md language)
  string(REGEX REPLACE "^# [^\n]*" "# NAME\nnet - language of neural networks\n\n# DESCRIPTION"
         language "${language}")
  file(CONFIGURE OUTPUT ${NETC_PAGES}/language.md CONTENT "${language}" @ONLY)
  netc_page(net.5 man/man5 ${NETC_PAGES}/language.md ${LOWDOWN} -s -tman --nroff-nolinks
            -M title=NET -M section=5 ${NETC_PAGES}/language.md)
endif()

# The Debian package
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_CONTACT "the netc authors")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "cmake, libpthreadpool-dev, python3-numpy")
include(CPack)
