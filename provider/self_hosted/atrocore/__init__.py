"""AtroCore and its product module AtroPIM: product and master data. Supports core 1.1 to 2.3, in three API dialects.

https://help.atrocore.com
"""
