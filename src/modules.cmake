# How a module becomes a target: include/prefixfs/<module>/ is its contract, src/<module>/ its body.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

add_library(prefixfs_warnings INTERFACE)
# Designated initializers leave out what keeps its default, on purpose; g++ 12 sees uninitialized members in every std::optional it inlines.
target_compile_options(prefixfs_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Werror -Wno-missing-field-initializers
                                                   -Wno-maybe-uninitialized)
if(PREFIXFS_SANITIZE)
  add_compile_options(-fsanitize=${PREFIXFS_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${PREFIXFS_SANITIZE})
endif()
# File offsets are 64 bits everywhere; SOURCE macros are what libfuse and LMDB headers expect.
add_compile_definitions(_FILE_OFFSET_BITS=64 _GNU_SOURCE PREFIXFS_VERSION="${PROJECT_VERSION}")

# What most files include is compiled once, in prefixfs_base. Each header of this list was measured to pay: one that stands in it costs time in
# every file, also where it is not included.
set(PREFIXFS_PRECOMPILED_HEADERS <fmt/format.h> <algorithm> <array> <atomic> <chrono> <condition_variable> <expected> <filesystem> <functional>
                                 <map> <memory> <mutex> <optional> <span> <string> <string_view> <system_error> <thread> <vector>)
function(prefixfs_precompiled target)
  if(target STREQUAL prefixfs_base)
    target_precompile_headers(prefixfs_base PRIVATE ${PREFIXFS_PRECOMPILED_HEADERS})
  else()
    target_precompile_headers(${target} REUSE_FROM prefixfs_base)
  endif()
endfunction()

# prefixfs_module(<name> DEPENDS <modules...> PRIVATE <libraries...> PUBLIC <libraries...>)
# DEPENDS names the modules whose contracts it may include. A third-party library stands in one module's PRIVATE list only.
function(prefixfs_module name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;PRIVATE;PUBLIC" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${name}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
  list(TRANSFORM ARG_DEPENDS PREPEND prefixfs_)
  if(sources)
    add_library(prefixfs_${name} STATIC ${sources})
    target_link_libraries(prefixfs_${name} PUBLIC ${ARG_DEPENDS} ${ARG_PUBLIC} Threads::Threads PRIVATE ${ARG_PRIVATE} prefixfs_warnings)
    target_include_directories(prefixfs_${name} PUBLIC ${PROJECT_SOURCE_DIR}/include PRIVATE ${PROJECT_SOURCE_DIR}/src/${name})
    prefixfs_precompiled(prefixfs_${name})
  else()
    add_library(prefixfs_${name} INTERFACE)
    target_link_libraries(prefixfs_${name} INTERFACE ${ARG_DEPENDS} ${ARG_PUBLIC} ${ARG_PRIVATE} Threads::Threads)
    target_include_directories(prefixfs_${name} INTERFACE ${PROJECT_SOURCE_DIR}/include)
  endif()
endfunction()
