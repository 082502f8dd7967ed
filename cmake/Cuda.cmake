# Finds the CUDA toolkit, cuDNN and the cudnn-frontend headers. Sets RIDGE_HAVE_CUDA and
# RIDGE_HAVE_CUDNN. With RIDGE_CUDA=AUTO a toolkit that cannot be used is said and left out; with ON
# it is an error.
set(RIDGE_HAVE_CUDA FALSE)
set(RIDGE_HAVE_CUDNN FALSE)
set(oldest_cuda 12.0)  # the first whose nvcc speaks C++20

set(why_no_cuda "")
if(RIDGE_CUDA STREQUAL "OFF")
  set(why_no_cuda "RIDGE_CUDA=OFF")
else()
  find_program(RIDGE_NVCC nvcc HINTS ENV CUDA_HOME ENV CUDA_PATH PATHS /usr/local/cuda/bin)
  if(RIDGE_NVCC)
    execute_process(COMMAND ${RIDGE_NVCC} --version OUTPUT_VARIABLE nvcc_says ERROR_QUIET)
    string(REGEX MATCH "release ([0-9]+\\.[0-9]+)" ignored "${nvcc_says}")
    if(NOT CMAKE_MATCH_1)
      set(why_no_cuda "${RIDGE_NVCC} does not tell its version")
    elseif(CMAKE_MATCH_1 VERSION_LESS oldest_cuda)
      set(why_no_cuda "${RIDGE_NVCC} is CUDA ${CMAKE_MATCH_1}, ${oldest_cuda} is needed")
    endif()
  else()
    set(why_no_cuda "nvcc was not found: put it on PATH or set CUDA_HOME")
  endif()
endif()

if(NOT why_no_cuda)
  set(CMAKE_CUDA_COMPILER ${RIDGE_NVCC})
  set(CMAKE_CUDA_ARCHITECTURES ${RIDGE_CUDA_ARCHITECTURES})
  enable_language(CUDA)
  # CMake before 3.25.2 does not know that nvcc 12 and later speak C++20.
  foreach(kind STANDARD EXTENSION)
    if(NOT DEFINED CMAKE_CUDA20_${kind}_COMPILE_OPTION)
      set(CMAKE_CUDA20_${kind}_COMPILE_OPTION "-std=c++20")
    endif()
  endforeach()
  set(CMAKE_CUDA_STANDARD 20)
  find_package(CUDAToolkit REQUIRED)
  if(TARGET CUDA::cudart_static AND TARGET CUDA::cublas AND TARGET CUDA::cublasLt)
    set(RIDGE_HAVE_CUDA TRUE)
  else()
    set(why_no_cuda "the toolkit lacks cudart_static, cuBLAS or cuBLASLt")
  endif()
endif()

if(RIDGE_HAVE_CUDA)
  find_path(RIDGE_CUDNN_INCLUDE cudnn.h
            HINTS ${RIDGE_CUDNN_ROOT}/include ${CUDAToolkit_INCLUDE_DIRS})
  find_library(RIDGE_CUDNN_LIBRARY NAMES cudnn libcudnn.so.9
               HINTS ${RIDGE_CUDNN_ROOT}/lib ${CUDAToolkit_LIBRARY_DIR})
  find_path(RIDGE_CUDNN_FRONTEND_INCLUDE cudnn_frontend.h
            HINTS ${RIDGE_CUDNN_FRONTEND_ROOT}/include ${PROJECT_SOURCE_DIR}/.deps/include)
  if(RIDGE_CUDNN_INCLUDE AND RIDGE_CUDNN_LIBRARY AND RIDGE_CUDNN_FRONTEND_INCLUDE)
    set(RIDGE_HAVE_CUDNN TRUE)
  endif()
  message(STATUS "CUDA ${CUDAToolkit_VERSION} for ${RIDGE_CUDA_ARCHITECTURES}, "
                 "cuDNN: ${RIDGE_HAVE_CUDNN}")
elseif(RIDGE_CUDA STREQUAL "ON")
  message(FATAL_ERROR "RIDGE_CUDA=ON, but ${why_no_cuda}")
else()
  message(STATUS "Only the CPU backend is built: ${why_no_cuda}")
endif()
