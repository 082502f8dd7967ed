# The CUDA backend: a module opened with dlopen, so that one binary serves machines without a GPU.
file(GLOB plugin_sources CONFIGURE_DEPENDS cuda/*.cu cuda/*.cpp)
set(text "")
foreach(op ${RIDGE_OPERATORS})
  file(GLOB op_sources CONFIGURE_DEPENDS ${op}/cuda*.cu ${op}/cuda*.cpp)
  if(op_sources)
    list(APPEND plugin_sources ${op_sources})
    string(APPEND text "RIDGE_OPERATOR(${op})\n")
  endif()
endforeach()
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/generated/cuda_operator_list.inc CONTENT "${text}"
     @ONLY)

# Instructions that only sm_90a has: compiled for it alone, where Hopper is asked for.
set(hopper_sources ${plugin_sources})
list(FILTER hopper_sources INCLUDE REGEX "_sm90a\\.cu$")
list(FILTER plugin_sources EXCLUDE REGEX "_sm90a\\.cu$")
set(hopper ${RIDGE_CUDA_ARCHITECTURES})
list(FILTER hopper INCLUDE REGEX "^90")
set(plugin_parts ridge_cuda)
if(hopper)
  add_library(ridge_cuda_sm90a OBJECT ${hopper_sources})
  set_target_properties(ridge_cuda_sm90a PROPERTIES CUDA_ARCHITECTURES OFF)
  target_compile_options(ridge_cuda_sm90a PRIVATE
    --generate-code=arch=compute_90a,code=sm_90a)
  list(APPEND plugin_parts ridge_cuda_sm90a)
  list(APPEND plugin_sources $<TARGET_OBJECTS:ridge_cuda_sm90a>)
endif()

add_library(ridge_cuda MODULE ${plugin_sources})
if(hopper)
  target_compile_definitions(ridge_cuda PRIVATE RIDGE_SM90A)
endif()
# Symbols that are missing are an error here and not when somebody opens the module.
# Only the entry point is seen outside.
target_link_options(ridge_cuda PRIVATE LINKER:-z,defs LINKER:--exclude-libs,ALL)
set_target_properties(ridge_cuda PROPERTIES PREFIX "")
set_target_properties(${plugin_parts} PROPERTIES CUDA_VISIBILITY_PRESET hidden
                                                 CXX_VISIBILITY_PRESET hidden)
target_link_libraries(ridge_cuda PRIVATE ridge_kernels fmt::fmt CUDA::cudart_static CUDA::cublas
                                         CUDA::cublasLt ${CMAKE_DL_LIBS})
if(RIDGE_HAVE_CUDNN)
  target_compile_definitions(ridge_cuda PRIVATE RIDGE_HAVE_CUDNN)
  target_include_directories(ridge_cuda SYSTEM PRIVATE ${RIDGE_CUDNN_INCLUDE}
                                                       ${RIDGE_CUDNN_FRONTEND_INCLUDE})
  # The headers of cudnn-frontend call nvrtc. Not CUDA::nvrtc, which links the driver too: the plugin
  # must open where there is none.
  target_link_libraries(ridge_cuda PRIVATE ${RIDGE_CUDNN_LIBRARY} ${CUDA_nvrtc_LIBRARY})
endif()
set(cuda_warnings -Wall -Wextra -Wshadow)
if(RIDGE_WERROR)
  list(APPEND cuda_warnings -Werror)
endif()
list(JOIN cuda_warnings "," cuda_warnings)
foreach(part ${plugin_parts})
  target_include_directories(${part} PRIVATE ${PROJECT_SOURCE_DIR})
  ridge_warnings(${part})
  if(RIDGE_WERROR)
    target_compile_options(${part} PRIVATE $<$<COMPILE_LANGUAGE:CUDA>:-Werror=all-warnings>)
  endif()
  target_compile_options(${part} PRIVATE $<$<COMPILE_LANGUAGE:CUDA>:-Xcompiler=${cuda_warnings}
                                                                    --expt-relaxed-constexpr>)
endforeach()
