# What every test folder uses.
pkg_check_modules(criterion REQUIRED IMPORTED_TARGET criterion>=2.4)

# Without abort_on_error a leak found in a Criterion test passes.
set(diskarch_test_environment
    ASAN_OPTIONS=abort_on_error=1:detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1 TSAN_OPTIONS=halt_on_error=1)

# diskarch_register_test(NAME [TIMEOUT seconds] [LABEL label] COMMAND command...)
# The label is the folder below tests/ unless one is given. Timeouts are there to end what hangs, nothing else. A test that
# cannot run here (no root, no loop device) says why and exits with 77: skipped, which .ci/run takes for a failure.
function(diskarch_register_test name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT;LABEL" "COMMAND")
    if(NOT arg_TIMEOUT)
        set(arg_TIMEOUT 300)
    endif()
    if(NOT arg_LABEL)
        file(RELATIVE_PATH arg_LABEL ${PROJECT_SOURCE_DIR}/tests ${CMAKE_CURRENT_SOURCE_DIR})
        string(REGEX REPLACE "/.*" "" arg_LABEL "${arg_LABEL}")
    endif()
    add_test(NAME ${name} COMMAND ${arg_COMMAND})
    set_tests_properties(${name} PROPERTIES
        TIMEOUT ${arg_TIMEOUT} LABELS ${arg_LABEL} SKIP_RETURN_CODE 77 ENVIRONMENT "${diskarch_test_environment}")
endfunction()

# diskarch_criterion_test(NAME SOURCES file... [LIBS target...] [TIMEOUT seconds] [VARIABLE variable VALUES value...])
# Tests written with Criterion. It aborts under the thread sanitizer, where these are left out: see diskarch_program_test.
# With VARIABLE the program runs once for each value of that variable of its environment, as NAME-value.
function(diskarch_criterion_test name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT;VARIABLE" "SOURCES;LIBS;VALUES")
    if(DISKARCH_SANITIZE MATCHES "thread")
        return()
    endif()
    add_executable(${name} ${arg_SOURCES})
    target_compile_definitions(${name} PRIVATE _GNU_SOURCE)
    target_link_libraries(${name} PRIVATE ${arg_LIBS} diskarch_flags PkgConfig::criterion)
    if(NOT arg_VARIABLE)
        diskarch_register_test(${name} TIMEOUT "${arg_TIMEOUT}" COMMAND ${name})
    endif()
    foreach(value IN LISTS arg_VALUES)
        diskarch_register_test(${name}-${value} TIMEOUT "${arg_TIMEOUT}" COMMAND ${name})
        set_property(TEST ${name}-${value} APPEND PROPERTY ENVIRONMENT ${arg_VARIABLE}=${value})
    endforeach()
endfunction()

# diskarch_program_test(NAME SOURCES file... [LIBS target...] [TIMEOUT seconds])
# A plain program whose exit code tells: for threaded tests, in every preset.
function(diskarch_program_test name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "SOURCES;LIBS")
    add_executable(${name} ${arg_SOURCES})
    target_compile_definitions(${name} PRIVATE _GNU_SOURCE)
    target_link_libraries(${name} PRIVATE ${arg_LIBS} diskarch_strict)
    diskarch_register_test(${name} TIMEOUT "${arg_TIMEOUT}" COMMAND ${name})
endfunction()
