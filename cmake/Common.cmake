# Warnings that every target of the project is built with.
function(ridge_warnings target)
  # Designated initialisers leave fields at their defaults on purpose; g++ 12's -Wrestrict misfires
  # on std::string (GCC bug 105329).
  set(host -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion
      -Wno-missing-field-initializers $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)
  if(RIDGE_WERROR)
    list(APPEND host -Werror)
  endif()
  target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:${host}>)
endfunction()

# ridge_library(name SOURCES … LINKS …): a static library; includes are written from the root.
function(ridge_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINKS" ${ARGN})
  add_library(${name} STATIC ${arg_SOURCES})
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PUBLIC ${arg_LINKS})
  ridge_warnings(${name})
endfunction()

# ridge_program(name SOURCES … LINKS …): an executable in <build>/bin.
function(ridge_program name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINKS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${arg_LINKS})
  ridge_warnings(${name})
endfunction()

# ridge_schema(name constant): schema/<name>.schema.json travels in the binary, as the raw string
# literal `constant` of <name>_schema.inc.
function(ridge_schema name constant)
  set(schema ${CMAKE_CURRENT_SOURCE_DIR}/schema/${name}.schema.json)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${schema})
  file(READ ${schema} text)
  file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/generated/${name}_schema.inc @ONLY
       CONTENT "inline constexpr const char ${constant}[] = R\"schema(${text})schema\";\n")
endfunction()
