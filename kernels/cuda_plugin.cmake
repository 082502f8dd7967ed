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

add_library(ridge_cuda MODULE ${plugin_sources})
# Symbols that are missing are an error here and not when somebody opens the module.
# Only the entry point is seen outside.
target_link_options(ridge_cuda PRIVATE LINKER:-z,defs LINKER:--exclude-libs,ALL)
set_target_properties(ridge_cuda PROPERTIES PREFIX "" CUDA_VISIBILITY_PRESET hidden
                                            CXX_VISIBILITY_PRESET hidden)
target_include_directories(ridge_cuda PRIVATE ${PROJECT_SOURCE_DIR})
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
ridge_warnings(ridge_cuda)
set(cuda_warnings -Wall -Wextra -Wshadow)
if(RIDGE_WERROR)
  list(APPEND cuda_warnings -Werror)
  target_compile_options(ridge_cuda PRIVATE
    $<$<COMPILE_LANGUAGE:CUDA>:-Werror=all-warnings>)
endif()
list(JOIN cuda_warnings "," cuda_warnings)
target_compile_options(ridge_cuda PRIVATE $<$<COMPILE_LANGUAGE:CUDA>:-Xcompiler=${cuda_warnings}
                                                                     --expt-relaxed-constexpr>)
