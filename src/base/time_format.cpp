#include "prefixfs/base/time_format.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cstddef>

namespace prefixfs {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr std::array<std::string_view, 7> kWeekdays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

struct Fields {
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;
  unsigned weekday = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  int millisecond = 0;
};

Fields split(WallTime time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  return {.year = static_cast<int>(date.year()),
          .month = static_cast<unsigned>(date.month()),
          .day = static_cast<unsigned>(date.day()),
          .weekday = std::chrono::weekday(day).c_encoding(),
          .hour = static_cast<int>(clock.hours().count()),
          .minute = static_cast<int>(clock.minutes().count()),
          .second = static_cast<int>(clock.seconds().count()),
          .millisecond = static_cast<int>(clock.subseconds().count() / 1'000'000)};
}

std::optional<WallTime> join(const Fields& fields, nanoseconds fraction = nanoseconds(0)) {
  const std::chrono::year_month_day date{std::chrono::year(fields.year), std::chrono::month(fields.month), std::chrono::day(fields.day)};
  // 64 bits of nanoseconds reach from 1677 to 2262. Second 60 is a leap second (RFC 9110, 5.6.7).
  if (!date.ok() || fields.year < 1678 || fields.year > 2261 || fields.hour > 23 || fields.minute > 59 || fields.second > 60) {
    return std::nullopt;
  }
  return std::chrono::sys_days(date) + std::chrono::hours(fields.hour) + std::chrono::minutes(fields.minute) +
         seconds(fields.second) + fraction;
}

/// Takes a text apart from the left; once something does not fit, ok() stays false.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool ok() const { return ok_; }
  bool at_end() const { return ok_ && rest_.empty(); }
  bool next_is(char character) const { return ok_ && rest_.starts_with(character); }

  int digits(std::size_t count) {
    const std::string_view text = take(count);
    int value = 0;
    for (const char character : text) {
      ok_ = ok_ && character >= '0' && character <= '9';
      value = value * 10 + (character - '0');
    }
    return ok_ ? value : 0;
  }

  void literal(std::string_view expected) { ok_ = take(expected.size()) == expected && ok_; }

  template <std::size_t N>
  unsigned name(const std::array<std::string_view, N>& names) {
    const std::string_view text = take(3);
    for (unsigned i = 0; i < N; ++i) {
      if (text == names[i]) {
        return i;
      }
    }
    ok_ = false;
    return 0;
  }

  /// The digits of a fraction of a second, 1 to 9 of them.
  nanoseconds fraction() {
    const std::size_t found = rest_.find_first_not_of("0123456789");
    const std::size_t count = found == std::string_view::npos ? rest_.size() : found;
    if (count == 0 || count > 9) {
      ok_ = false;
      return nanoseconds(0);
    }
    int value = digits(count);
    for (std::size_t i = count; i < 9; ++i) {
      value *= 10;
    }
    return nanoseconds(value);
  }

 private:
  std::string_view take(std::size_t count) {
    if (!ok_ || rest_.size() < count) {
      ok_ = false;
      return {};
    }
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }

  std::string_view rest_;
  bool ok_ = true;
};

// An ISO 8601 date and time, with the separators given; the fraction only where it is allowed.
std::optional<WallTime> parse_iso(std::string_view text, std::string_view dash, std::string_view colon, bool fraction_allowed) {
  Scanner scanner(text);
  Fields fields;
  fields.year = scanner.digits(4);
  scanner.literal(dash);
  fields.month = static_cast<unsigned>(scanner.digits(2));
  scanner.literal(dash);
  fields.day = static_cast<unsigned>(scanner.digits(2));
  scanner.literal("T");
  fields.hour = scanner.digits(2);
  scanner.literal(colon);
  fields.minute = scanner.digits(2);
  scanner.literal(colon);
  fields.second = scanner.digits(2);
  nanoseconds fraction(0);
  if (fraction_allowed && scanner.next_is('.')) {
    scanner.literal(".");
    fraction = scanner.fraction();
  }
  scanner.literal("Z");
  return scanner.at_end() ? join(fields, fraction) : std::nullopt;
}

}  // namespace

std::string format_http_date(WallTime time) {
  const Fields f = split(time);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kWeekdays[f.weekday], f.day, kMonths[f.month - 1], f.year, f.hour,
                     f.minute, f.second);
}

std::string format_iso8601(WallTime time) {
  const Fields f = split(time);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", f.year, f.month, f.day, f.hour, f.minute, f.second, f.millisecond);
}

std::string format_iso8601_basic(WallTime time) {
  const Fields f = split(time);
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", f.year, f.month, f.day, f.hour, f.minute, f.second);
}

// Only IMF-fixdate: S3 never sends the two obsolete forms of RFC 9110, 5.6.7. The weekday has to be one, and says nothing new.
std::optional<WallTime> parse_http_date(std::string_view text) {
  Scanner scanner(text);
  Fields fields;
  scanner.name(kWeekdays);
  scanner.literal(", ");
  fields.day = static_cast<unsigned>(scanner.digits(2));
  scanner.literal(" ");
  fields.month = scanner.name(kMonths) + 1;
  scanner.literal(" ");
  fields.year = scanner.digits(4);
  scanner.literal(" ");
  fields.hour = scanner.digits(2);
  scanner.literal(":");
  fields.minute = scanner.digits(2);
  scanner.literal(":");
  fields.second = scanner.digits(2);
  scanner.literal(" GMT");
  return scanner.at_end() ? join(fields) : std::nullopt;
}

std::optional<WallTime> parse_iso8601(std::string_view text) { return parse_iso(text, "-", ":", true); }

std::optional<WallTime> parse_iso8601_basic(std::string_view text) { return parse_iso(text, "", "", false); }

}  // namespace prefixfs
