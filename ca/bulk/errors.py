"""What bulk enrolment refuses."""

from yinxin.errors import Conflict, Invalid, Unavailable


class BadTable(Invalid):
    """A CSV file that cannot be read as a whole."""

    code = "ca.bad_table"
    zh = "文件 {file} 无法作为名册读取（{reason}）：请按手册的列名另存为 UTF-8 或 GB 18030 编码的 CSV，未做任何更改。"
    en = "The file {file} cannot be read as a list ({reason}): save it as CSV in UTF-8 or GB 18030 with the manual's column names; nothing was changed."


class BadRow(Invalid):
    """A row with a field that is missing or wrong."""

    code = "ca.bad_row"
    zh = "{field} 有误（{reason}）：请更正该行。"
    en = "{field} is wrong ({reason}): correct the row."


class RowTwice(Conflict):
    """The same reference, or the same holder and profile, in two rows."""

    code = "ca.row_twice"
    zh = "与第 {row} 行重复：请删去其中一行。"
    en = "It repeats row {row}: remove one of the two."


class RowsRefused(Invalid):
    """Some rows were refused; the report says which and why."""

    code = "ca.rows_refused"
    zh = "{refused} 行未获签发：请查看报告，更正后用新文件再次执行。"
    en = "{refused} rows were refused: read the report, correct them and run the new file."


class RowsPending(Unavailable):
    """Some rows could not be carried out now."""

    code = "ca.rows_pending"
    zh = "{pending} 行暂未完成：请稍后用同一文件再次执行，已完成的不会重复。"
    en = "{pending} rows are not done yet: run the same file again later; what is done is not done twice."
