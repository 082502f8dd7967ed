cmake_minimum_required(VERSION 3.22)
# Run at build time: writes the git revision, and whether the tree differs from it, to ${OUTPUT}.
execute_process(COMMAND git -C ${SOURCE} rev-parse --short=12 HEAD
                OUTPUT_VARIABLE revision OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
execute_process(COMMAND git -C ${SOURCE} status --porcelain --untracked-files=no
                OUTPUT_VARIABLE changes ERROR_QUIET)
if(NOT revision)
  set(revision "unknown")
endif()
if(changes)
  string(APPEND revision "-dirty")
endif()
file(CONFIGURE OUTPUT ${OUTPUT} @ONLY
     CONTENT "#pragma once\ninline constexpr const char* kGitRevision = \"@revision@\";\n")
