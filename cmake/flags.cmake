# How everything is compiled. Two flag targets, because Criterion's macros do not survive -Wconversion:
#   diskarch_flags   include paths and the warnings that every file stands
#   diskarch_strict  the same and the stricter ones: for all code of our own

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug or Release" FORCE)
endif()

# No configuration defines NDEBUG: assertions guard the disks of others, in release builds above all.
set(CMAKE_C_FLAGS_DEBUG "-Og -g")
foreach(config RELEASE RELWITHDEBINFO MINSIZEREL)
    set(CMAKE_C_FLAGS_${config} "-O2 -g")
endforeach()

add_library(diskarch_flags INTERFACE)
target_include_directories(diskarch_flags INTERFACE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)
target_compile_definitions(diskarch_flags INTERFACE DISKARCH_VERSION="${PROJECT_VERSION}")
target_compile_options(diskarch_flags INTERFACE
    -Wall -Wextra -Wshadow -Wundef -Wvla -Wpointer-arith -Wwrite-strings -Wformat=2 -Wimplicit-fallthrough
    -fstack-protector-strong -fno-common
    $<$<BOOL:${DISKARCH_WERROR}>:-Werror>)

add_library(diskarch_strict INTERFACE)
target_link_libraries(diskarch_strict INTERFACE diskarch_flags)
target_compile_options(diskarch_strict INTERFACE
    -Wpedantic -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wcast-align -Wcast-qual)

if(DISKARCH_SANITIZE)
    add_compile_options(-fsanitize=${DISKARCH_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${DISKARCH_SANITIZE})
endif()
