# The library behind the program: libnetc.so, with the functions of include/netc/netc.h and no other
# symbol. LLVM is in it, hidden, so that a host may have another one.
set_target_properties(libnetc PROPERTIES POSITION_INDEPENDENT_CODE ON C_VISIBILITY_PRESET hidden)
target_include_directories(libnetc SYSTEM PUBLIC ${PTHREADPOOL_INCLUDE_DIR})

add_library(netc_shared SHARED
  src/api/compiler.c
  src/api/diagnostics.c
  src/api/network.c
  src/api/report.c)
set_target_properties(netc_shared PROPERTIES OUTPUT_NAME netc EXPORT_NAME library
                      C_VISIBILITY_PRESET hidden
                      VERSION ${PROJECT_VERSION} SOVERSION 0)
target_sources(netc_shared PUBLIC FILE_SET HEADERS BASE_DIRS include FILES include/netc/netc.h)
target_compile_options(netc_shared PRIVATE ${NETC_WARNINGS})
target_compile_definitions(netc_shared PRIVATE NETC_VERSION="${PROJECT_VERSION}")
target_link_libraries(netc_shared PRIVATE libnetc llvm_static)
target_link_options(netc_shared PRIVATE -Wl,--exclude-libs,ALL -Wl,--gc-sections)
