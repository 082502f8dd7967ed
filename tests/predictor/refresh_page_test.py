"""scripts/refresh_page.py as a user runs it."""
import commands
from commands import main

PAGE = """# A page

    $ echo one; echo; \\
          echo two
    what was there

    and there

Text.

    not a command

    $ echo next

    $ echo last
"""
FRESH = """# A page

    $ echo one; echo; \\
          echo two
    one

    two

Text.

    not a command

    $ echo next
    next

    $ echo last
    last
"""


def refresh(text):
    page = commands.options.scratch / "page.md"
    page.write_text(text, "utf-8")
    done = commands.run("refresh_page.py", "--bin", commands.options.scratch, page)
    return done, page.read_text("utf-8")


def test_blocks_of_commands_get_what_they_print():
    done, text = refresh(PAGE)
    done.says(0)
    assert text == FRESH, text
    assert "changed" in done.out


def test_a_fresh_page_stays():
    done, text = refresh(FRESH)
    done.says(0)
    assert text == FRESH, text
    assert "as it was" in done.out


def test_a_command_that_fails_changes_nothing():
    done, text = refresh(PAGE.replace("echo last", "false"))
    done.says(1, "false")
    assert text == PAGE.replace("echo last", "false"), text


if __name__ == "__main__":
    main(globals())
