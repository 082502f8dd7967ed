#include "programs/request_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <numeric>

#include "calibrate/csv.h"
#include "kernels/core/error.h"
#include "programs/read_text.h"

namespace ridge {
namespace {

constexpr int64_t kDefaultInput = 1024;
constexpr const char* kColumn = "input_tokens";

// Prompts of equal length as one entry, the shortest first.
std::vector<Prompt> grouped_prompts(const std::map<int64_t, int64_t>& counts, int64_t cached) {
  std::vector<Prompt> prompts;
  for (const auto& [tokens, count] : counts)
    prompts.push_back({.count = count, .tokens = tokens, .cached = cached});
  return prompts;
}

std::map<int64_t, int64_t> lengths_in(const std::string& file) {
  const Csv csv = parse_csv(read_text(file), file);
  const auto column = std::find(csv.header.begin(), csv.header.end(), kColumn);
  if (column == csv.header.end())
    throw BadInput(file + ": line 1: column '" + kColumn + "' is missing");
  const auto at = static_cast<std::size_t>(column - csv.header.begin());
  std::map<int64_t, int64_t> counts;
  for (std::size_t row = 0; row < csv.rows.size(); ++row) {
    const std::string& text = csv.rows[row][at];
    int64_t tokens = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), tokens);
    if (error != std::errc() || end != text.data() + text.size() || tokens < 1)
      throw BadInput(fmt::format("{}: line {}: {} '{}' must be a whole number above 0", file,
                                 csv.lines[row], kColumn, text));
    ++counts[tokens];
  }
  return counts;
}

}  // namespace

Request RequestOptions::request(int64_t chunk) const {
  Request r{.output = output, .chunk = chunk};
  if (!prompt_lengths.empty()) {
    r.prompts = grouped_prompts(lengths_in(prompt_lengths), cached);
  } else {
    const std::vector<int64_t> lengths = inputs.empty() ? std::vector{kDefaultInput} : inputs;
    const auto n = static_cast<int64_t>(lengths.size());
    const int64_t all = batch == 0 ? n : batch;
    if (all < 1 || all % n != 0)
      throw BadInput(
          fmt::format("--batch {}: must be a multiple of the {} length{} that --input gives", batch,
                      n, n == 1 ? "" : "s"));
    std::map<int64_t, int64_t> counts;
    for (const int64_t tokens : lengths) counts[tokens] += all / n;
    r.prompts = grouped_prompts(counts, cached);
  }
  if (!draft_model.empty())
    r.speculation = Speculation{
        .draft = find_model(draft_model), .tokens = draft_tokens, .acceptance = acceptance};
  return r;
}

Request RequestOptions::one(Request r) const {
  int64_t common = 0;
  for (const Prompt& p : r.prompts) common = std::gcd(common, p.count);
  for (Prompt& p : r.prompts) p.count /= common;
  return r;
}

void add_request_options(CLI::App& app, RequestOptions& o) {
  CLI::Option* input =
      app.add_option("--input", o.inputs,
                     "Tokens of each prompt (1024); several by comma share the batch equally")
          ->delimiter(',');
  CLI::Option* batch =
      app.add_option("--batch", o.batch, "Sequences at once (as many as --input has lengths)")
          ->check(CLI::Range(1, 1000000));
  app.add_option("--prompt-lengths", o.prompt_lengths,
                 "CSV with a row for each prompt of the batch: column input_tokens")
      ->excludes(input)
      ->excludes(batch);
  app.add_option("--output", o.output, "Tokens made for each prompt")->capture_default_str();
  app.add_option("--cached", o.cached, "Tokens of each prompt that the prefix cache has");
  CLI::Option* draft =
      app.add_option("--draft-model", o.draft_model, "Smaller model that proposes tokens");
  app.add_option("--draft-tokens", o.draft_tokens, "Tokens that it proposes a step")
      ->needs(draft)
      ->capture_default_str();
  app.add_option("--acceptance", o.acceptance, "Probability that a proposed token is taken")
      ->needs(draft)
      ->capture_default_str();
}

}  // namespace ridge
