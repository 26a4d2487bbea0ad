# Compiled networks as a library of a CMake project:
#
#   netc_add_library(<target> [STATIC | OBJECT] SOURCES <file.net>...
#     [NETWORK <name>]                       of the file, if it has several
#     [WEIGHTS <file>...]                    one for each source, or one for all
#     [WEIGHTS_MODE embed | extern | none]   extern packs the weights into a file, and links
#                                            netc::runtime, which maps it
#     [TARGETS <cpu>...]                     the processors to compile for: --cpu
#     [THREADS <number>]                     links libpthreadpool
#     [PREFIX <prefix>]                      of all names, and of the files: --symbol-prefix
#     [NAMESPACE <name>]                     of C++, in the headers: --namespace
#     [BUDGET_FILE <file>]                   conditions that each network has to keep: --budgets
#     [DEFINES <name=value>...] [OPTIONS <option of netc>...]
#     [OBJECT_VAR <v>] [HEADER_VAR <v>]      where the files are, in the order of the sources
#     [PACKED_VAR <v>]                       the packed weights of `extern`
#     [REPORT_VAR <v>] [LLVM_IR_VAR <v>] [ASM_VAR <v>])  makes these too
#
# What links the target finds the headers. STATIC, the default, is an archive; of OBJECT a program
# gets every object. When cross-compiling, the networks are compiled for what the project is.
cmake_policy(VERSION 3.23...3.31)

# --target for the machine that the project is compiled for; empty where that is netc's default.
function(_netc_target_option result)
  set(triple "${CMAKE_C_COMPILER_TARGET}")
  if(NOT triple)
    set(triple "${CMAKE_CXX_COMPILER_TARGET}")
  endif()
  if(NOT triple AND CMAKE_CROSSCOMPILING)
    string(TOLOWER "${CMAKE_SYSTEM_PROCESSOR}" processor)
    string(REGEX REPLACE "^(amd64|x64)$" "x86_64" processor "${processor}")
    string(REGEX REPLACE "^arm64$" "aarch64" processor "${processor}")
    set(triple "${processor}-none-elf")
    if(CMAKE_SYSTEM_NAME STREQUAL "Linux")
      set(triple "${processor}-linux-gnu")
    endif()
  endif()
  set(option)
  if(triple)
    set(option "--target=${triple}")
  endif()
  set(${result} ${option} PARENT_SCOPE)
endfunction()

# Sees that the arguments of netc_add_library, which are the caller's net_*, fit together.
function(_netc_check_arguments)
  list(LENGTH net_SOURCES sources)
  list(LENGTH net_WEIGHTS weights)
  set(said_here output header packed depfile emit network weights weights-mode cpu threads define
                symbol-prefix namespace budgets)
  list(JOIN said_here "|" said_here)
  set(problem)
  if(net_UNPARSED_ARGUMENTS)
    set(problem "what is `${net_UNPARSED_ARGUMENTS}`?")
  elseif(net_KEYWORDS_MISSING_VALUES)
    set(problem "${net_KEYWORDS_MISSING_VALUES} without a value")
  elseif(sources EQUAL 0)
    set(problem "which SOURCES?")
  elseif(net_STATIC AND net_OBJECT)
    set(problem "STATIC or OBJECT, not both")
  elseif(net_NETWORK AND sources GREATER 1)
    set(problem "NETWORK is of one source, not of ${sources}")
  elseif(weights GREATER 1 AND NOT weights EQUAL sources)
    set(problem "${weights} WEIGHTS for ${sources} SOURCES")
  elseif(net_PACKED_VAR AND NOT net_WEIGHTS_MODE STREQUAL "extern")
    set(problem "PACKED_VAR is for WEIGHTS_MODE extern")
  endif()
  foreach(option IN LISTS net_OPTIONS)
    if(option MATCHES "^(--(${said_here})(=|$)|-o|-D)")
      set(problem "`${option}` cannot be one of the OPTIONS: what it says is said here by "
                  "another argument")
    endif()
  endforeach()
  if(problem)
    message(FATAL_ERROR "netc_add_library: " ${problem})
  endif()
endfunction()

# BASE.o, BASE.h and, if `packed` says so, that file, from the source and other `inputs`. Further
# arguments go to netc.
function(_netc_add_network source base inputs packed)
  # Ninja sees where an object has not changed. To others it must look new, or they make it again
  # each time.
  set(touch COMMAND ${CMAKE_COMMAND} -E touch "${base}.o")
  if(CMAKE_GENERATOR MATCHES "Ninja")
    set(touch)
  endif()
  cmake_path(GET base PARENT_PATH folder)
  cmake_path(GET base FILENAME name)
  # The header is no OUTPUT: generators for make would give it the time of the object.
  add_custom_command(
    OUTPUT "${base}.o"
    BYPRODUCTS "${base}.h" ${packed}
    COMMAND ${CMAKE_COMMAND} -E make_directory "${folder}"
    COMMAND netc::netc "${source}" -o "${base}.o" "--depfile=${base}.d" --write-if-changed ${ARGN}
    ${touch}
    DEPENDS netc::netc "${source}" ${inputs}
    DEPFILE "${base}.d"
    COMMENT "Compiling network ${name}" VERBATIM COMMAND_EXPAND_LISTS)
endfunction()

# A further file made from a network by `netc` with the arguments given.
function(_netc_add_listing output object)
  add_custom_command(
    OUTPUT "${output}"
    COMMAND netc::netc ${ARGN} -o "${output}"
    DEPENDS netc::netc "${object}" # which depends on all that the listing does
    COMMENT "Writing ${output}" VERBATIM COMMAND_EXPAND_LISTS)
  set_source_files_properties("${output}" PROPERTIES HEADER_FILE_ONLY TRUE)
endfunction()

function(netc_add_library target)
  set(one_value NETWORK WEIGHTS_MODE THREADS PREFIX NAMESPACE BUDGET_FILE OBJECT_VAR HEADER_VAR
                PACKED_VAR REPORT_VAR LLVM_IR_VAR ASM_VAR)
  cmake_parse_arguments(PARSE_ARGV 1 net "STATIC;OBJECT" "${one_value}"
    "SOURCES;WEIGHTS;TARGETS;DEFINES;OPTIONS")
  _netc_check_arguments()

  _netc_target_option(common) # what reports take too
  if(net_TARGETS)
    list(JOIN net_TARGETS "," cpus)
    list(APPEND common "--cpu=${cpus}")
  endif()
  if(net_NETWORK)
    list(APPEND common "--network=${net_NETWORK}")
  endif()
  list(TRANSFORM net_DEFINES PREPEND "--define=")
  list(APPEND common ${net_DEFINES})
  set(target_option ${net_OPTIONS})
  list(FILTER target_option INCLUDE REGEX "^--target=")
  list(APPEND common ${target_option})
  set(options ${common})
  if(net_WEIGHTS_MODE)
    list(APPEND options "--weights-mode=${net_WEIGHTS_MODE}")
  endif()
  if(net_THREADS)
    list(APPEND options "--threads=${net_THREADS}")
  endif()
  if(net_PREFIX)
    list(APPEND options "--symbol-prefix=${net_PREFIX}")
  endif()
  if(net_BUDGET_FILE)
    cmake_path(ABSOLUTE_PATH net_BUDGET_FILE BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}" NORMALIZE)
    list(APPEND options "--budgets=${net_BUDGET_FILE}")
  endif()
  if(net_NAMESPACE)
    list(APPEND options "--namespace=${net_NAMESPACE}")
  endif()
  list(APPEND options ${net_OPTIONS})

  set(folder "${CMAKE_CURRENT_BINARY_DIR}/${target}.netc")
  get_property(is_multi_config GLOBAL PROPERTY GENERATOR_IS_MULTI_CONFIG)
  if(is_multi_config)
    string(APPEND folder "/$<CONFIG>")
  endif()
  foreach(list objects headers packed_files reports llvm_files asm_files)
    set(${list})
  endforeach()
  list(LENGTH net_WEIGHTS weights_count)
  foreach(source IN LISTS net_SOURCES)
    cmake_path(ABSOLUTE_PATH source BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}" NORMALIZE)
    cmake_path(GET source STEM LAST_ONLY name)
    if(net_NETWORK)
      set(name "${net_NETWORK}")
    endif()
    set(base "${folder}/${net_PREFIX}${name}")
    set(own_options ${options})
    set(weights)
    if(weights_count GREATER 0)
      list(LENGTH objects index)
      math(EXPR index "${index} % ${weights_count}")
      list(GET net_WEIGHTS ${index} weights)
      cmake_path(ABSOLUTE_PATH weights BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}" NORMALIZE)
      list(APPEND own_options "--weights=${weights}")
    endif()
    set(packed)
    if(net_WEIGHTS_MODE STREQUAL "extern")
      set(packed "${base}.weights")
    endif()

    _netc_add_network("${source}" "${base}" "${weights};${net_BUDGET_FILE}" "${packed}"
                      ${own_options})
    list(APPEND objects "${base}.o")
    list(APPEND headers "${base}.h")
    list(APPEND packed_files ${packed})
    if(net_REPORT_VAR)
      _netc_add_listing("${base}.json" "${base}.o" report "${source}" --format=json ${common})
      list(APPEND reports "${base}.json")
    endif()
    if(net_LLVM_IR_VAR)
      _netc_add_listing("${base}.ll" "${base}.o" "${source}" --emit=llvm ${own_options})
      list(APPEND llvm_files "${base}.ll")
    endif()
    if(net_ASM_VAR)
      _netc_add_listing("${base}.s" "${base}.o" "${source}" --emit=asm ${own_options})
      list(APPEND asm_files "${base}.s")
    endif()
  endforeach()

  set(files ${objects} ${net_SOURCES} ${net_BUDGET_FILE} ${reports} ${llvm_files} ${asm_files})
  if(net_OBJECT)
    add_library(${target} INTERFACE ${files})
    target_link_libraries(${target} INTERFACE ${objects})
  else()
    add_library(${target} STATIC ${files})
    get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
    list(FILTER languages INCLUDE REGEX "^C(XX)?$")
    list(GET languages 0 language)
    set_target_properties(${target} PROPERTIES LINKER_LANGUAGE ${language})
  endif()
  target_sources(${target} INTERFACE FILE_SET HEADERS BASE_DIRS "${folder}" FILES ${headers})
  if(net_WEIGHTS_MODE STREQUAL "extern")
    target_link_libraries(${target} INTERFACE netc::runtime)
  endif()
  if(net_THREADS)
    find_path(netc_PTHREADPOOL_INCLUDE_DIR pthreadpool.h REQUIRED)
    find_library(netc_PTHREADPOOL_LIBRARY pthreadpool REQUIRED)
    mark_as_advanced(netc_PTHREADPOOL_INCLUDE_DIR netc_PTHREADPOOL_LIBRARY)
    target_include_directories(${target} INTERFACE "${netc_PTHREADPOOL_INCLUDE_DIR}")
    target_link_libraries(${target} INTERFACE "${netc_PTHREADPOOL_LIBRARY}")
  endif()

  set(results OBJECT objects HEADER headers PACKED packed_files REPORT reports
              LLVM_IR llvm_files ASM asm_files)
  while(results)
    list(POP_FRONT results name list)
    if(net_${name}_VAR)
      set(${net_${name}_VAR} ${${list}} PARENT_SCOPE)
    endif()
  endwhile()
endfunction()
