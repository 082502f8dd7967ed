# Finds the CUDA toolkit, cuDNN and the cudnn-frontend headers. Sets RIDGE_HAVE_CUDA and
# RIDGE_HAVE_CUDNN.
set(RIDGE_HAVE_CUDA FALSE)
set(RIDGE_HAVE_CUDNN FALSE)

if(NOT RIDGE_CUDA STREQUAL "OFF")
  include(CheckLanguage)
  find_program(RIDGE_NVCC nvcc HINTS ENV CUDA_HOME ENV CUDA_PATH PATHS /usr/local/cuda/bin)
  if(RIDGE_NVCC)
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
    set(RIDGE_HAVE_CUDA TRUE)
  elseif(RIDGE_CUDA STREQUAL "ON")
    message(FATAL_ERROR "RIDGE_CUDA=ON, but nvcc was not found: put it on PATH or set CUDA_HOME")
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
else()
  message(STATUS "No CUDA: only the CPU backend is built")
endif()
