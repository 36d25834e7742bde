#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hedge/result.h"
#include "hedge/tensor.h"

namespace hedge::data {

/// An array that a file holds: numbers, texts, or both where a table's cells may be read either way.
struct Array {
  Shape shape;
  Tensor numbers;                  ///< f32 or i64, of `shape`; without elements where the array is no numbers
  std::vector<std::string> texts;  ///< row-major, of `shape`; empty where the array is no texts
  std::string where;               ///< file and name, for errors

  [[nodiscard]] bool has_numbers() const { return texts.empty() || numbers.num_elements() > 0; }
  [[nodiscard]] std::int64_t rows() const { return shape.empty() ? 0 : shape[0]; }
};

/// Element types of array files. Halves, bfloats and doubles become f32, integers and booleans i64.
enum class Element : std::uint8_t { kF16, kBf16, kF32, kF64, kI8, kI16, kI32, kI64, kU8, kU16, kU32, kU64, kBool };
std::size_t size_of(Element element);

/// How numbers lie in memory.
struct ElementLayout {
  Element element = Element::kF32;
  bool big_endian = false;
};

/// The numbers of `bytes` as a tensor of `shape`, row-major.
/// Errors: kBadFormat: another number of bytes than the shape has; kBadData: an integer beyond 2^63 - 1.
Result<Tensor> decode_numbers(std::string_view bytes, const ElementLayout& layout, const Shape& shape, std::string_view where);

/// Parses NumPy's .npy (versions 1 to 3): numbers of the types above in either byte order, byte strings ("S") and texts ("U"), in C or
/// Fortran order, of at most 4 dimensions. Errors: kBadFormat: no .npy, truncated, a header or length that does not fit; kUnsupported:
/// Python objects, structured, complex and other types, each with the way out; kBadData: those of decode_numbers, and a text that is no
/// Unicode.
Result<Array> parse_npy(std::string_view bytes, std::string_view where);

/// Reads "FILE[:NAME]", whatever the file is by its content: .npy; .npz with NAME an array of it; safetensors with NAME a tensor of it;
/// else a table of comma-separated values (parse_csv). NAME may be left out where the file has one array. Of a table, NAME is a column,
/// several separated by commas, or "PREFIX*": all columns that begin so, in their order; one column is an array [N], several are [N,
/// columns].
/// "#1" is the first column of a table whose first line is data, "#1,#3" two, "#*" all; a table of numbers alone has no line of names,
/// unless that line counts the columns from 0. Errors: those of read_file, of the formats, and: kNotFound: no such array or column, with
/// the names there are; kInvalidArgument: NAME is needed, or is given for an .npy; kUnsupported: a compressed file (zstd, gzip) or a
/// PyTorch pickle, with the way out.
Result<Array> read_array(const std::string& source);

/// The names of the arrays or columns of a file; none of an .npy and of a table whose first line is data. Errors: as above.
Result<std::vector<std::string>> array_names(const std::string& file);

/// The file of a source, and what is behind its colon (or nothing).
struct ArraySource {
  std::string file, name;
};
ArraySource split_source(const std::string& source);

}  // namespace hedge::data
