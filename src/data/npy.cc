// NumPy's array format (numpy.lib.format): magic, version, a Python dict as text, the elements.
#include <algorithm>
#include <cstring>
#include <optional>

#include "data/array.h"

namespace hedge::data {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kMostDims = 4;

Error bad(std::string_view where, std::string what, std::string got = "") {
  return {.code = ErrorCode::kBadFormat, .what = std::move(what), .where = std::string(where), .got = std::move(got)};
}

struct Header {
  std::string descr;
  bool fortran = false;
  Shape shape;
  std::size_t data = 0;  ///< where the elements begin
};

std::size_t little_endian(std::string_view bytes) {
  std::size_t value = 0;
  for (std::size_t i = bytes.size(); i > 0; --i) value = value * 256 + static_cast<std::uint8_t>(bytes[i - 1]);
  return value;
}

/// What stands behind 'KEY': in the header's dict; nothing where it is not there.
std::optional<std::string_view> value_of(std::string_view dict, const std::string& key) {
  auto at = dict.find("'" + key + "'");
  if (at == std::string_view::npos) at = dict.find("\"" + key + "\"");
  if (at == std::string_view::npos) return std::nullopt;
  at = dict.find(':', at + key.size() + 2);
  if (at == std::string_view::npos) return std::nullopt;
  at = dict.find_first_not_of(" \t", at + 1);
  if (at == std::string_view::npos) return std::nullopt;
  return dict.substr(at);
}

/// "(3, 4)", "(3,)" or "()".
std::optional<Shape> parse_shape(std::string_view text) {
  const auto end = text.find(')');
  if (text.empty() || text[0] != '(' || end == std::string_view::npos) return std::nullopt;
  Shape shape;
  std::int64_t number = -1;
  for (const char c : text.substr(1, end)) {
    if (c >= '0' && c <= '9') {
      constexpr std::int64_t kMost = std::int64_t{1} << 40;
      number = std::max<std::int64_t>(number, 0) * 10 + (c - '0');
      if (number > kMost) return std::nullopt;
    } else if (c == ',' || c == ')') {
      if (number >= 0) shape.push_back(number);
      number = -1;
    } else if (c != ' ' && c != 'L') {
      return std::nullopt;
    }
  }
  return shape;
}

Result<Header> parse_dict(std::string_view dict, std::string_view where) {
  Header header;
  const auto descr = value_of(dict, "descr"), fortran = value_of(dict, "fortran_order"), shape = value_of(dict, "shape");
  if (!descr || !fortran || !shape) return bad(where, "the .npy header is not NumPy's", std::string(dict.substr(0, 60)));
  if (descr->empty() || ((*descr)[0] != '\'' && (*descr)[0] != '"'))
    return Error{.code = ErrorCode::kUnsupported,
                 .what = "an array of records is not read",
                 .where = std::string(where),
                 .got = std::string(descr->substr(0, 60)),
                 .hint = "save each field as an array of its own"};
  header.descr = descr->substr(1, descr->find((*descr)[0], 1) - 1);
  header.fortran = fortran->starts_with("True");
  auto dims = parse_shape(*shape);
  if (!dims) return bad(where, "the .npy header has no shape", std::string(shape->substr(0, 60)));
  header.shape = *std::move(dims);
  return header;
}

Result<Header> parse_header(std::string_view bytes, std::string_view where) {
  if (!bytes.starts_with(kMagic) || bytes.size() < 10) return bad(where, "the file is no .npy");
  const auto version = static_cast<std::uint8_t>(bytes[6]);
  if (version < 1 || version > 3) return bad(where, "no such version of .npy", std::to_string(version));
  const std::size_t length_bytes = version == 1 ? 2 : 4, start = 8 + length_bytes;
  if (bytes.size() < start) return bad(where, "the .npy is truncated within its header");
  const auto length = little_endian(bytes.substr(8, length_bytes));
  if (length > bytes.size() - start) return bad(where, "the .npy is truncated within its header");
  HEDGE_TRY(auto header, parse_dict(bytes.substr(start, length), where));
  header.data = start + length;
  if (header.shape.size() > kMostDims)
    return Error{.code = ErrorCode::kUnsupported,
                 .what = "the array has too many dimensions",
                 .where = std::string(where),
                 .got = to_string(header.shape),
                 .expected = "at most " + std::to_string(kMostDims)};
  return header;
}

std::optional<Element> element_of(std::string_view type) {
  constexpr std::pair<const char*, Element> kNames[] = {{"f2", Element::kF16}, {"f4", Element::kF32}, {"f8", Element::kF64},
                                                        {"i1", Element::kI8},  {"i2", Element::kI16}, {"i4", Element::kI32},
                                                        {"i8", Element::kI64}, {"u1", Element::kU8},  {"u2", Element::kU16},
                                                        {"u4", Element::kU32}, {"u8", Element::kU64}, {"b1", Element::kBool}};
  for (const auto& [name, element] : kNames)
    if (type == name) return element;
  return std::nullopt;
}

Error unsupported(const Header& header, std::string_view where) {
  const bool object = header.descr.find('O') != std::string::npos;
  return {.code = ErrorCode::kUnsupported,
          .what = object ? "an array of Python objects is not read" : "this element type is not read",
          .where = std::string(where),
          .got = header.descr,
          .expected = "floats, integers, booleans or texts",
          .hint = "save it as numbers: np.save(FILE, array.astype(\"float32\")), or texts: array.astype(str)"};
}

/// Elements of Fortran's order (the first index runs fastest) in C's.
std::string to_c_order(std::string_view bytes, const Shape& shape, std::size_t element) {
  std::string ordered(bytes.size(), '\0');
  std::vector<std::int64_t> index(shape.size(), 0);
  for (std::size_t at = 0; at * element < bytes.size(); ++at) {
    std::size_t from = 0;
    for (std::size_t d = shape.size(); d > 0; --d)
      from = from * static_cast<std::size_t>(shape[d - 1]) + static_cast<std::size_t>(index[d - 1]);
    std::memcpy(ordered.data() + at * element, bytes.data() + from * element, element);
    for (std::size_t d = shape.size(); d > 0 && ++index[d - 1] == shape[d - 1]; --d) index[d - 1] = 0;
  }
  return ordered;
}

bool append_utf8(std::uint32_t c, std::string& text) {
  if (c > 0x10FFFF || (c >= 0xD800 && c < 0xE000)) return false;
  if (c < 0x80) {
    text += static_cast<char>(c);
    return true;
  }
  const int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
  constexpr std::uint32_t kLead[] = {0, 0xC0, 0xE0, 0xF0};
  text += static_cast<char>(kLead[more] | (c >> (6 * more)));
  for (int i = more - 1; i >= 0; --i) text += static_cast<char>(0x80 | ((c >> (6 * i)) & 0x3F));
  return true;
}

/// A text that zeros fill up: of bytes ("S"), or of 32-bit code points ("U").
std::optional<std::string> parse_text(std::string_view bytes, bool wide, bool big_endian) {
  if (!wide) return std::string(bytes.substr(0, bytes.find_last_not_of('\0') + 1));
  std::string text;
  std::size_t zeros = 0;
  for (std::size_t i = 0; i + 4 <= bytes.size(); i += 4) {
    std::uint32_t c = 0;
    for (std::size_t b = 0; b < 4; ++b) c = c << 8 | static_cast<std::uint8_t>(bytes[i + (big_endian ? b : 3 - b)]);
    if (c == 0) {
      ++zeros;
      continue;
    }
    text.append(std::exchange(zeros, 0), '\0');
    if (!append_utf8(c, text)) return std::nullopt;
  }
  return text;
}

Status read_texts(std::string_view bytes, std::size_t width, const Header& header, Array& array) {
  const bool wide = header.descr[1] == 'U';
  for (std::size_t at = 0; at + width <= bytes.size(); at += width) {
    auto text = parse_text(bytes.substr(at, width), wide, header.descr[0] == '>');
    if (!text)
      return Error{.code = ErrorCode::kBadData,
                   .what = "a text is no Unicode",
                   .where = array.where,
                   .got = "element " + std::to_string(at / width)};
    array.texts.push_back(*std::move(text));
  }
  return {};
}

/// Bytes of an element of "U10" (40) or "S10" (10); nothing for another type or an impossible length.
std::optional<std::size_t> text_bytes(std::string_view type) {
  constexpr std::size_t kMost = 1 << 16;
  if (type.size() < 2 || type.size() > 6 || (type[0] != 'U' && type[0] != 'S')) return std::nullopt;
  std::size_t length = 0;
  for (const char c : type.substr(1)) {
    if (c < '0' || c > '9') return std::nullopt;
    length = length * 10 + static_cast<std::size_t>(c - '0');
  }
  if (length == 0 || length > kMost) return std::nullopt;
  return type[0] == 'U' ? length * 4 : length;
}

}  // namespace

Result<Array> parse_npy(std::string_view bytes, std::string_view where) {
  HEDGE_TRY(const auto header, parse_header(bytes, where));
  const auto type = header.descr.size() > 1 ? std::string_view(header.descr).substr(1) : std::string_view();
  const auto element = element_of(type);
  const auto text = text_bytes(type);
  if (!element && !text) return unsupported(header, where);
  const auto width = element ? size_of(*element) : *text;
  const auto count = checked_num_elements(header.shape);
  if (!count || static_cast<std::uint64_t>(*count) > bytes.size() ||
      (bytes.size() - header.data) != static_cast<std::uint64_t>(*count) * width)
    return bad(where, "the .npy has another length than its shape says",
               std::to_string(bytes.size() - header.data) + " bytes for " + to_string(header.shape) + " of " + header.descr);
  auto data = bytes.substr(header.data);
  std::string ordered;
  if (header.fortran && header.shape.size() > 1) data = ordered = to_c_order(data, header.shape, width);
  if (*count == 0) return bad(where, "the array has no element", to_string(header.shape));
  Array array{.shape = header.shape, .numbers = {}, .texts = {}, .where = std::string(where)};
  if (element) {
    HEDGE_TRY(array.numbers, decode_numbers(data, {.element = *element, .big_endian = header.descr[0] == '>'}, header.shape, where));
  } else {
    HEDGE_CHECK(read_texts(data, width, header, array));
  }
  return array;
}

}  // namespace hedge::data
