#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace ridge {

// Letters and digits only, in lower case: names that differ otherwise are one.
std::string plain_name(std::string_view name);

// The `most` of `known` that fewest edits turn into `asked`, letter case and punctuation aside; the
// nearest first. Names that begin with what was asked go before others: "p4d" means p4d.24xlarge,
// not L4.
std::vector<std::string> nearest_names(std::string_view asked, std::vector<std::string> known,
                                       std::size_t most);

}  // namespace ridge
