#pragma once
#include <dnnl.hpp>

// oneDNN 2 (Debian 12, Ubuntu 22.04) describes an operation first and then picks a kernel; oneDNN 3
// (Ubuntu 24.04) does both at once. Each function here makes the kernel choice either way.
namespace ridge::dnnl_compat {

inline dnnl::matmul::primitive_desc matmul(const dnnl::engine& engine, const dnnl::memory::desc& a,
                                           const dnnl::memory::desc& b,
                                           const dnnl::memory::desc& c) {
#if DNNL_VERSION_MAJOR >= 3
  return {engine, a, b, c};
#else
  return {dnnl::matmul::desc(a, b, c), engine};
#endif
}

}  // namespace ridge::dnnl_compat
