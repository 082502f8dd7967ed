#pragma once
#include "kernels/core/call.h"

namespace ridge::memory_pattern {

// Probes of memory that is not gone over in a row. All is f32, indices are int32.
//   stride_read  dims {count, stride}: y[c] = sum of x[i · stride] over the c-th chunk of
//                kStrideChunk values of i < count
//   gather       dims {rows, row_bytes, table_rows}: y[c] = sum of all elements of
//                table[index[r]] over the c-th chunk of kRowChunk values of r < rows
//   scatter      dims {rows, row_bytes, table_rows}, table_rows = rows:
//                table[index[r]][j] = pattern[(kPhase · r + j) mod kPattern], index a random order
// Rows are of 32, 64 or 128 bytes and begin at multiples of their length. Work counts what is used:
// the elements read or written and the indices, not the lines they are in.
constexpr int64_t kStrideChunk = 4096;
constexpr int64_t kRowChunk = 1024;
constexpr int64_t kPattern = 64;
constexpr int64_t kPhase = 16;

struct StrideDims {
  int64_t count, stride;
  constexpr int64_t chunks() const { return (count + kStrideChunk - 1) / kStrideChunk; }
};
inline StrideDims stride_dims(const Call& c) { return {c.dims[0], c.dims[1]}; }

struct RowDims {
  int64_t rows, row_bytes, table_rows;
  constexpr int64_t row() const { return row_bytes / 4; }  // elements
  constexpr int64_t chunks() const { return (rows + kRowChunk - 1) / kRowChunk; }
};
inline RowDims row_dims(const Call& c) { return {c.dims[0], c.dims[1], c.dims[2]}; }

}  // namespace ridge::memory_pattern
